// Series by name: those that are pushed, and those that are made anew of the status whenever they are asked for.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface Series {
  counter(name: string, help: string, labelNames?: string[]): Counter;
  gauge(name: string, help: string, labelNames?: string[]): Gauge;
  histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram;
  /** Nothing is known of any of them any more. */
  reset(): void;
}

export function createSeries(registry: Registry): Series {
  const registers = [registry];
  const all: { reset(): void }[] = [];
  const kept = <One extends { reset(): void }>(one: One) => {
    all.push(one);
    return one;
  };
  const named = (name: string, help: string, labelNames: string[]) => ({
    ...{ name: `portreeve_${name}`, help, labelNames, registers },
  });
  return {
    counter: (name, help, labelNames = []) => kept(new Counter(named(name, help, labelNames))),
    gauge: (name, help, labelNames = []) => kept(new Gauge(named(name, help, labelNames))),
    histogram: (name, help, labelNames, buckets) =>
      kept(new Histogram({ ...named(name, help, labelNames), buckets })),
    reset() {
      for (const one of all) one.reset();
    },
  };
}
