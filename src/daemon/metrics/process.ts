// The daemon's own process as metrics: CPU, memory, descriptors and how late the event loop is.
import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Names as Prometheus' client libraries have them ("process metrics"); prom-client's own set fails promtool's lint. */
export function processMetrics(registers: Registry[]) {
  const cpu = new Counter({ name: 'process_cpu_seconds_total', help: 'CPU time used.', registers });
  const memory = new Gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.', registers });
  const started = new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, since the epoch.',
    registers,
  });
  const descriptors = new Gauge({ name: 'process_open_fds', help: 'Open descriptors.', registers });
  const lag = new Gauge({
    name: 'portreeve_event_loop_lag_seconds',
    help: 'How late the event loop was at its 99th percentile since the last scrape.',
    registers,
  });
  started.set(Date.now() / 1000 - process.uptime());
  const resolutionMs = 20;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    async update(): Promise<void> {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
      memory.set(process.memoryUsage.rss());
      // Only Linux has the folder; elsewhere the series is absent rather than wrong.
      const open = await readdir('/proc/self/fd').catch(() => null);
      if (open) descriptors.set(open.length);
      else descriptors.remove();
      // The histogram counts whole intervals: what is above the timer's own period is lateness.
      lag.set(Math.max(0, delay.percentile(99) / 1e6 - resolutionMs) / 1000);
      delay.reset();
    },
    close: () => void delay.disable(),
  };
}
