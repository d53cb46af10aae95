// Real UDP sockets around one engine: servers, clients, and a listener of the portable engine.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { openDatagrams } from '../../src/listen/index.ts';
import { createPortableEngine, type EngineListener, type Target } from '../../src/relay/index.ts';
import { makePlan, Recorder, type ServeOptions, target, testContext } from '../contract/engine-harness.ts';

export interface UdpServer extends Target {
  socket: Socket;
  heard: { text: string; from: RemoteInfo }[];
}

/** Answers each datagram with what `answer` makes of it; null: with nothing. */
export async function udpServer(
  answer: (datagram: Buffer, from: RemoteInfo) => string | Buffer | null,
  settings: Partial<Target> = {},
): Promise<UdpServer> {
  const socket = createSocket('udp4');
  const heard: UdpServer['heard'] = [];
  socket.on('message', (datagram, from) => {
    heard.push({ text: datagram.toString(), from });
    const said = answer(datagram, from);
    if (said !== null) socket.send(said, from.port, from.address);
  });
  socket.bind(settings.port ?? 0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => end(socket));
  return { ...target(socket.address().port, settings), socket, heard };
}

/** Nobody is there. */
export async function udpNobody(settings: Partial<Target> = {}): Promise<Target> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return target(port, settings);
}

export function end(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It was closed before.
  }
}

export interface UdpClient {
  socket: Socket;
  answers: Buffer[];
  say(what: string | Buffer): void;
  /** Says it until there is an answer: datagrams may be lost by design. */
  ask(what: string): Promise<string>;
  /** The next answer that nobody has waited for yet. */
  answer(): Promise<Buffer>;
}

export async function udpClient(port: number, host = '127.0.0.1'): Promise<UdpClient> {
  const socket = createSocket('udp4');
  const answers: Buffer[] = [];
  let read = 0;
  socket.on('message', (datagram) => {
    answers.push(datagram);
    socket.emit('answer');
  });
  socket.on('error', () => {});
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => end(socket));
  const say = (what: string | Buffer) => socket.send(what, port, host);
  const answer = async () => {
    while (answers.length <= read) await once(socket, 'answer');
    return answers[read++]!;
  };
  return {
    ...{ socket, answers, say, answer },
    async ask(what) {
      read = answers.length;
      const again = setInterval(say, 500, what);
      say(what);
      const text = (await answer()).toString();
      clearInterval(again);
      return text;
    },
  };
}

export interface UdpServing {
  listener: EngineListener;
  reports: Recorder;
  port: number;
  plan: ReturnType<typeof makePlan>;
}

/** A listener on a loopback port of the system's choice, drained when the test is over. */
export async function serveUdp({ config, ...options }: ServeOptions): Promise<UdpServing> {
  const context = testContext();
  const plan = makePlan({ ...options, config: { bind: ['udp://127.0.0.1:0'], ...config } });
  const { v6only, backlog, conflict, bind } = plan.config;
  const binding = await openDatagrams(
    { name: 'web', endpoint: bind[0]!, v6only, backlog, conflict },
    { context, explain: async () => 'nobody', evict: async () => {} },
    AbortSignal.timeout(10_000),
  );
  const reports = new Recorder();
  const listener = createPortableEngine(context).serve(plan, [binding], reports);
  onTestFinished(() => listener.drain(0));
  return { listener, reports, port: binding.port, plan };
}

/** Balance as a plan wants it, where the targets are given apart. */
export const balance = (more: object = {}) => ({ balance: { targets: ['127.0.0.1:1'], ...more } });
