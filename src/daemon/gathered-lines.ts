// Lines of a log that are written together: handing each to a thread of its own costs more than to make it.

/** Milliseconds between two writes; the first line after a silence goes at once. */
const pace = 10;
const enough = 64 * 1024;

export class GatheredLines {
  private readonly out: (lines: string) => void;
  private lines = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(out: (lines: string) => void) {
    this.out = out;
  }

  write(line: string): void {
    if (this.timer === null) {
      this.out(line);
      this.timer = setTimeout(() => this.next(), pace);
      return;
    }
    this.lines += line;
    if (this.lines.length >= enough) this.flush();
  }

  flush(): void {
    if (this.lines === '') return;
    this.out(this.lines);
    this.lines = '';
  }

  private next(): void {
    this.timer = null;
    if (this.lines === '') return;
    this.flush();
    this.timer = setTimeout(() => this.next(), pace);
  }
}
