// Ends the daemon's parts in order: what nobody needs any more first.
import type { Memory } from '../health/index.ts';
import type { Rooms } from './rooms.ts';
import type { Step } from './step.ts';

export async function closeRooms(rooms: Rooms, memory: Memory, step: Step): Promise<void> {
  const { listeners, handlers, services, sinks, scheduler, background, pool, registry } = rooms;
  // What goes down from here on is our own doing.
  scheduler.stop();
  await step('closing the listeners', () => listeners.drain(0));
  await step('ending the handlers', () => handlers.close());
  await step('leaving the registry', () => registry.leave());
  await step('stopping the services', () => services.stop());
  await step('giving back the leases', () => pool.close());
  await step('closing the registry', () => registry.close());
  await step('ending actions', () => rooms.actions.close());
  rooms.maintenance.close();
  memory.close();
  await step('tidying up', () => background.settled());
  await step('delivering what the sinks hold', () => sinks.close());
}
