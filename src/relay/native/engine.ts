// The engine on epoll (Linux): the control process holds the sockets, workers accept on them and pass the bytes.
import type { Context } from '../../core/context.ts';
import { checked, epoll, linux } from '../../ffi/index.ts';
import { type DescriptorCalls, streams } from '../../listen/index.ts';
import type { Engine } from '../engine.ts';
import { Crew } from './crew.ts';
import { loadOf, type WorkerLoad } from './load.ts';
import { NativeListener } from './native-listener.ts';

export interface NativeOptions {
  /** The worker's program. */
  file: string;
  workers: number;
  /** What runs it; default: this very Node. */
  runner?: readonly string[];
  /** There will be no more workers: they keep dying. Without it they are replaced for ever, more and more slowly. */
  givenUp?: (why: string) => void;
}

export interface NativeEngine extends Engine {
  /** The same for listeners that feed a sink: one that turns from one to the other is served anew. */
  intake: Engine;
  /** Process ids of the workers that run. */
  workers(): number[];
  loads(): WorkerLoad[];
}

/** Workers run from the first listener on until the last has drained. */
export function createNativeEngine(
  context: Context,
  { file, workers, runner = [process.execPath], givenUp }: NativeOptions,
): NativeEngine {
  const crew = new Crew([...runner, file], workers, context, givenUp);
  let nextId = 1;
  const engine: Engine = {
    name: 'native',
    serve: (plan, bindings, reports) =>
      new NativeListener(nextId++, plan, streams(bindings), reports, {
        crew,
        context,
        calls: descriptorCalls,
      }),
  };
  return {
    ...engine,
    intake: { ...engine },
    workers: () => crew.pids(),
    loads: () => crew.pids().flatMap((pid) => loadOf(pid) ?? []),
  };
}

const descriptorCalls: DescriptorCalls = {
  duplicate: (fd) => checked('fcntl', epoll.fcntl(fd, linux.F_DUPFD_CLOEXEC, 3)),
  end(fd) {
    // On a listening socket this ends the listening for everybody who has it (Linux, inet_shutdown).
    epoll.shutdown(fd, linux.SHUT_RD);
    epoll.close(fd);
  },
};
