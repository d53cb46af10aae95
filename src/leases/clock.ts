// The clock of leases: one that every process of the machine shares, and that nobody can set.
import type { Clock } from '../core/context.ts';

/**
 * Milliseconds since boot: CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS, QueryPerformanceCounter on
 * Windows. performance.now() would count from the start of this process. Stands still while Linux is suspended.
 */
export const machineClock: Clock = {
  monotonic: () => Number(process.hrtime.bigint() / 1_000_000n),
  wall: () => Date.now(),
};
