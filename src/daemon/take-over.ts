// The takeover as the new daemon carries it out: when it is ready, and what it takes last.
import { systemClock } from '../core/context.ts';
import type { Memory } from '../health/index.ts';
import type { Rooms } from './rooms.ts';
import type { ChangingCompany, Inheritance } from './succession/index.ts';

export type Tell = (message: string, detail: Record<string, unknown>) => void;

export interface TakingOver {
  rooms: Pick<Rooms, 'services' | 'maintenance'>;
  memory: Memory;
  company: ChangingCompany;
  /** Opens what only one daemon can have. */
  open(): Promise<void>;
  tell: Tell;
}

/** The new one waits this part of what the old one does, so that it can still say why it is not ready. */
const patience = 0.9;

/** @throws ReeveError where a service that was up before does not come up, or the old daemon has changed its mind. */
export async function takeOver(
  inheritance: Inheritance,
  { rooms, memory, company, open, tell }: TakingOver,
  signal: AbortSignal,
): Promise<void> {
  const { pid, up, within } = inheritance.estate;
  void inheritance.gone.then(() => {
    company.left();
    tell(`PID ${pid}, the daemon before this one, has ended`, { pid });
  });
  // The monotonic clock began with this process.
  const left = Math.max(0, Math.round(within * patience - systemClock.monotonic()));
  await rooms.services.untilUp(up, left, signal);
  await inheritance.mayBegin(signal);
  // Until now the old one has gone on probing.
  memory.refresh();
  rooms.maintenance.restore(memory.maintained());
  await open();
}
