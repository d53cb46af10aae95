// The new daemon's side of an upgrade: what it was given by the one that it succeeds.
import { Socket } from 'node:net';
import { ReeveError } from '../../core/errors.ts';
import {
  channelDescriptor,
  channelName,
  type Estate,
  type FromHeir,
  openChannel,
  type ToHeir,
  toHeir,
} from './messages.ts';

export interface Inheritance {
  readonly estate: Estate;
  /** Of the estate's sockets, by their place in the list. */
  descriptor(index: number): number;
  readonly controlDescriptor: number;
  /** Says that everything is ready, and resolves when the other one agrees. */
  mayBegin(signal: AbortSignal): Promise<void>;
  /** Says that this one accepts from now on. */
  took(control: string): void;
  failed(why: string): void;
  /** Resolves when the other one has ended. */
  readonly gone: Promise<void>;
}

/** Milliseconds: it was sent before this process began. */
const readWithin = 10_000;

/** Null where nobody is succeeded. The variable goes: what this daemon starts succeeds nobody. */
export async function receiveInheritance(env: NodeJS.ProcessEnv): Promise<Inheritance | null> {
  const given = env[channelName];
  delete env[channelName];
  if (given === undefined) return null;
  if (given !== String(channelDescriptor)) throw notGiven(`it is ${given}`);
  const stream = openSocket();
  const channel = openChannel<ToHeir, FromHeir>(stream, toHeir, () => {
    return new ReeveError(
      'conflict',
      'the daemon that was to be succeeded has ended, or has changed its mind',
    );
  });
  const estate = await channel.next('estate', AbortSignal.timeout(readWithin));
  const first = channelDescriptor + 1;
  return {
    estate,
    descriptor: (index) => first + index,
    controlDescriptor: first + estate.sockets.length,
    async mayBegin(signal) {
      channel.send({ is: 'ready' });
      await channel.next('go', signal);
      // Only now: where all it was given is UDP, nothing else keeps this process until it hears on that.
      stream.unref();
    },
    took: (control) => channel.send({ is: 'took', control }),
    failed: (why) => channel.send({ is: 'failed', why }),
    gone: channel.closed,
  };
}

function openSocket(): Socket {
  try {
    return new Socket({ fd: channelDescriptor });
  } catch (error) {
    throw notGiven('there is no such socket', error);
  }
}

function notGiven(why: string, cause?: unknown): ReeveError {
  return new ReeveError('usage', `${channelName} is for reeve upgrade alone: ${why}`, { cause });
}
