// Instances of services as a table, and why each was started again.
import { formatDuration } from '../../core/quantity.ts';
import { printable } from '../../core/text.ts';
import type { InstanceStatus, ServiceStatus } from '../../daemon/index.ts';
import type { Io } from '../io.ts';
import { type Column, renderTable } from './table.ts';

export function instanceColumns(style: NonNullable<Column['style']>): Column[] {
  return [
    { title: 'INSTANCE' },
    { title: 'STATE', style },
    { title: 'PID', align: 'right' },
    { title: 'PORTS' },
    { title: 'RESTARTS', align: 'right' },
    { title: 'DETAIL', flexible: true },
  ];
}

export function instanceRow(instance: InstanceStatus): string[] {
  const { id, state, pid, ports, restarts } = instance;
  return [
    id,
    state,
    pid === null ? '-' : String(pid),
    Object.entries(ports)
      .map(([name, port]) => `${name} ${port}`)
      .join(', '),
    String(restarts),
    detailOf(instance),
  ];
}

function detailOf({ state, detail, history, nextStartAt }: InstanceStatus): string {
  const last = history.at(-1);
  if (state === 'up' && last) return `started again ${ago(last.at)}: ${last.detail}`;
  if (nextStartAt === null) return detail ?? '';
  const left = formatDuration(Math.max(0, Date.parse(nextStartAt) - Date.now()));
  return `${detail}; next start in ${left}`;
}

/** One service with the last restarts of each instance, oldest first. */
export async function renderService(
  service: ServiceStatus,
  style: NonNullable<Column['style']>,
  io: Io,
): Promise<void> {
  await renderTable(instanceColumns(style), service.instances.map(instanceRow), io);
  for (const { id, history } of service.instances) {
    if (history.length === 0) continue;
    io.out(`\n${io.colors.bold(`Why ${id} was started again`)}`);
    for (const { at, reason, detail } of history) {
      io.out(
        `${io.colors.dim(at.slice(0, 19).replace('T', ' '))}  ${reason.padEnd(15)}  ${printable(detail)}`,
      );
    }
  }
}

function ago(time: string): string {
  return `${formatDuration(Math.max(0, Date.now() - Date.parse(time)))} ago`;
}
