// Opens what a daemon shows: the history of its charts, and the control API that tells it.
import path from 'node:path';
import { type Context, systemClock } from '../core/context.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { Api } from './api.ts';
import type { ApiParts } from './api-parts.ts';
import { controlSocket, openControl } from './control.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { openHistory } from './history/index.ts';
import type { Recorder } from './history/recorder.ts';
import type { InForce } from './reload.ts';
import { roomOrders } from './room-orders.ts';
import type { Rooms } from './rooms.ts';

type Shared = Pick<ApiParts, 'events' | 'metrics' | 'status' | 'reload' | 'upgrade' | 'leave' | 'stop'> & {
  options: Pick<DaemonOptions, 'system' | 'inheritance'>;
  inForce: InForce;
  stateFolder: string;
  context: Context;
  rooms: Rooms;
};

/** @throws ReeveError where the control API cannot listen. */
export async function openShared(shared: Shared): Promise<{ recorder: Recorder; api: Api }> {
  const { options, inForce, stateFolder, context, rooms, ...parts } = shared;
  const { folder, config } = inForce.loaded;
  const { tokenFile, listen } = config.control;
  const common = { system: options.system, log: context.log };
  const recorder = await openHistory({ ...common, stateFolder, clock: systemClock, status: parts.status });
  try {
    const api = await openControl({
      ...common,
      ...parts,
      ...roomOrders(rooms, parts.status),
      recorder,
      config: () => ({ ...inForce.loaded, loadedAt: inForce.loadedAt, lastReload: inForce.lastReload }),
      host: listen.host,
      port: listen.port,
      fd: controlSocket(options.inheritance, formatHostPort(listen.host, listen.port)),
      tokenFile: path.resolve(tokenFile === undefined ? stateFolder : folder, tokenFile ?? 'token'),
    });
    return { recorder, api };
  } catch (error) {
    recorder.close();
    throw error;
  }
}
