// Which engine carries a listener's connections, and why.
import { availableParallelism } from 'node:os';
import type { Config, ListenerConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import {
  createNativeEngine,
  createPortableEngine,
  type Engine,
  nativeObstacle,
  type WorkerLoad,
  workerFile,
} from '../relay/index.ts';

export interface Choice {
  engine: Engine;
  /** One line, for the status. */
  why: string;
}

export interface EnginesOptions {
  context: Context;
  relay: Config['relay'];
  platform: string;
  /** The program of the native engine's workers; default: the one of the build. */
  file?: string | null;
  /** Choose anew for every listener: the native engine has failed. */
  changed?: () => void;
}

export interface Chooser {
  (config: ListenerConfig): Choice;
  /** The native engine's; absent without it. */
  workers?: () => WorkerLoad[];
}

/** @throws ReeveError `config` where the native engine is asked for and cannot run. */
export function chooseEngines(options: EnginesOptions): Chooser {
  const { context, relay, platform, file = workerFile(), changed } = options;
  const portable = createPortableEngine(context);
  if (relay.engine === 'portable') return () => ({ engine: portable, why: 'relay.engine is portable' });
  const obstacle = nativeObstacle(platform, file);
  if (obstacle !== null && relay.engine === 'native') {
    throw new ReeveError('config', `relay.engine is native, but ${obstacle}`, {
      hint: 'Set relay.engine to auto or portable',
    });
  }
  if (obstacle !== null) return () => ({ engine: portable, why: obstacle });
  const workers = relay.workers === 'auto' ? availableParallelism() : relay.workers;
  let failure: string | null = null;
  const native = createNativeEngine(context, {
    file: file!,
    workers,
    ...(changed && {
      givenUp(why) {
        failure = `the native engine was given up until the daemon is started anew: ${why}`;
        changed();
      },
    }),
  });
  const why = `relay.engine is ${relay.engine}, and nothing stands in its way (workers: ${workers})`;
  const choose = (config: ListenerConfig): Choice => {
    const reason = portableOnly(config) ?? failure;
    if (reason !== null) return { engine: portable, why: reason };
    return { engine: config.sink === undefined ? native : native.intake, why };
  };
  return Object.assign(choose, { workers: () => native.loads() });
}

/** What the native engine does not do; null where it can carry the listener. */
function portableOnly(config: ListenerConfig): string | null {
  const { bind, handler, proxyProtocol, tls, balance } = config;
  if (bind.some(({ protocol }) => protocol === 'udp'))
    return 'it is UDP, which the native engine does not do';
  if (tls) return 'it has TLS, which the native engine does not speak';
  if (balance?.tls) return 'its targets are spoken to over TLS, which the native engine does not do';
  if (handler) return 'its connections go to a handler, whose threads belong to the control process';
  if (proxyProtocol.accept !== false)
    return 'it accepts the PROXY protocol, which the native engine does not';
  if (proxyProtocol.send !== false) return 'it sends the PROXY protocol, which the native engine does not';
  return null;
}
