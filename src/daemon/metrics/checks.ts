// Checks, what is in maintenance, and the gateway, of the status.
import type { DaemonStatus } from '../status.ts';
import type { Series } from './series.ts';

export function checkSeries(series: Series): (status: DaemonStatus) => void {
  const all = {
    checkUp: series.gauge('check_up', 'Verdict of the check: 1 up, 0 down; absent while unknown.', ['check']),
    checkDegraded: series.gauge('check_degraded', 'Whether the check is up, and to be looked at.', ['check']),
    checkFlapping: series.gauge('check_flapping', 'Whether the check changes too often.', ['check']),
    checkHeld: series.gauge('check_held', 'Whether an action that was due is held, by the reason.', [
      'check',
      'reason',
    ]),
    maintenance: series.gauge('maintenance', 'Always 1, for what is in maintenance.', ['subject']),
    gatewayUp: series.gauge(
      'gateway_up',
      'Whether the gateway answered when it was asked last; absent before that.',
    ),
  };
  return (status) => {
    for (const { name: check, verdict, degraded, flapping, held } of status.checks) {
      if (verdict !== 'unknown') all.checkUp.set({ check }, verdict === 'up' ? 1 : 0);
      all.checkDegraded.set({ check }, degraded ? 1 : 0);
      all.checkFlapping.set({ check }, flapping ? 1 : 0);
      if (held !== null) all.checkHeld.set({ check, reason: held }, 1);
    }
    for (const { subject } of status.maintenance) all.maintenance.set({ subject }, 1);
    const reached = status.gateway?.reached ?? null;
    if (reached !== null) all.gatewayUp.set(reached ? 1 : 0);
  };
}
