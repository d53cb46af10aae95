// Whether another daemon of the same state directory runs: for the time of an upgrade two share files and names.

export interface Company {
  readonly isAlone: boolean;
  /** Resolves once the other is gone; at once where there is none. */
  untilAlone(): Promise<void>;
}

export interface ChangingCompany extends Company {
  joined(): void;
  left(): void;
}

export function createCompany(): ChangingCompany {
  let isAlone = true;
  const waiting: (() => void)[] = [];
  return {
    get isAlone() {
      return isAlone;
    },
    async untilAlone() {
      if (!isAlone) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    joined() {
      isAlone = false;
    },
    left() {
      isAlone = true;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
