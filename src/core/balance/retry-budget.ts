// How many connections may be trying a further target at once: retries must not double the load on what is left. No I/O.

export interface RetryBudgetConfig {
  /** Of the connections that are open. */
  percent: number;
  /** So many may in any case. */
  least: number;
}

export class RetryBudget {
  config: RetryBudgetConfig;
  private readonly open: () => number;
  private retrying = 0;

  constructor(config: RetryBudgetConfig, open: () => number) {
    this.config = config;
    this.open = open;
  }

  /** False: not now. Every `true` is answered by one `end`. */
  begin(): boolean {
    const most = Math.max(this.config.least, Math.floor((this.open() * this.config.percent) / 100));
    if (this.retrying >= most) return false;
    this.retrying += 1;
    return true;
  }

  end(): void {
    this.retrying -= 1;
  }
}
