// Good answers that stand in, for a while, for one that cannot be had. Bounded. No I/O.

export interface KeptAnswers {
  ttlMs: number;
  most: number;
}

export class Answers<T> {
  private readonly rules: KeptAnswers;
  private readonly kept = new Map<string, { value: T; until: number }>();

  constructor(rules: KeptAnswers) {
    this.rules = rules;
  }

  get keeps(): boolean {
    return this.rules.ttlMs > 0 && this.rules.most > 0;
  }

  put(key: string, value: T, now: number): void {
    if (!this.keeps) return;
    this.kept.delete(key);
    this.kept.set(key, { value, until: now + this.rules.ttlMs });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.rules.most) break;
      this.kept.delete(oldest);
    }
  }

  get(key: string, now: number): { value: T } | null {
    const found = this.kept.get(key);
    if (!found) return null;
    if (now < found.until) return { value: found.value };
    this.kept.delete(key);
    return null;
  }

  clear(): void {
    this.kept.clear();
  }
}
