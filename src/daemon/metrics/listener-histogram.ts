// A histogram by listener that is cheap to fill: every connection's end passes here. The library's own takes microseconds for each.
import type { Metric, Registry } from 'prom-client';

export interface ListenerHistogram {
  observe(listener: string, seconds: number): void;
  forget(listener: string): void;
}

interface Series {
  /** Of each bucket alone; the last is what is beyond all bounds. */
  counts: Float64Array;
  sum: number;
}

/** `bounds` ascend. */
export function createListenerHistogram(
  name: string,
  help: string,
  bounds: readonly number[],
  registry: Registry,
): ListenerHistogram {
  const all = new Map<string, Series>();
  const metric = {
    name,
    get: async () => ({ name, help, type: 'histogram', values: valuesOf(name, bounds, all) }),
  };
  registry.registerMetric(metric as unknown as Metric);
  return {
    observe(listener, seconds) {
      let series = all.get(listener);
      if (!series) {
        series = { counts: new Float64Array(bounds.length + 1), sum: 0 };
        all.set(listener, series);
      }
      let bucket = 0;
      while (bucket < bounds.length && seconds > bounds[bucket]!) bucket += 1;
      series.counts[bucket]! += 1;
      series.sum += seconds;
    },
    forget(listener) {
      all.delete(listener);
    },
  };
}

function valuesOf(name: string, bounds: readonly number[], all: ReadonlyMap<string, Series>): object[] {
  return [...all].flatMap(([listener, { counts, sum }]) => {
    let count = 0;
    const buckets = Array.from(counts, (more, at) => {
      count += more;
      return { metricName: `${name}_bucket`, labels: { le: bounds[at] ?? '+Inf', listener }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { listener }, value: sum },
      { metricName: `${name}_count`, labels: { listener }, value: count },
    ];
  });
}
