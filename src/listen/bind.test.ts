// Binding under a conflict policy, against real sockets that are in the way.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { type Context, type ReeveEvent, silentLog, systemClock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { type BindTools, type ListenRequest, openListener } from './bind.ts';

const never = new AbortController().signal;

async function holder(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen({ port, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

interface Situation {
  tools: BindTools;
  events: ReeveEvent[];
  open(conflict: object, port?: number, host?: string, signal?: AbortSignal): ReturnType<typeof openListener>;
}

function situation(
  overrides: Partial<BindTools> = {},
  onEvent: (event: ReeveEvent) => void = () => {},
): Situation {
  const events: ReeveEvent[] = [];
  const emit = (event: ReeveEvent) => {
    events.push(event);
    onEvent(event);
  };
  const context: Context = { clock: systemClock, random: Math.random, log: silentLog, emit };
  const tools: BindTools = {
    context,
    explain: async () => 'held by cat (PID 7)',
    evict: async () => {
      throw new Error('nobody may be evicted here');
    },
    ...overrides,
  };
  return {
    tools,
    events,
    async open(conflict, port = 0, host = '127.0.0.1', signal = never) {
      const request: ListenRequest = {
        name: 'web',
        endpoint: { protocol: 'tcp', host, port },
        v6only: false,
        backlog: 16,
        conflict: { policy: 'fail', for: 10_000, tries: 20, allowEvict: ['cat'], ...conflict },
      };
      const binding = await openListener(request, tools, signal);
      onTestFinished(() => binding.close());
      return binding;
    },
  };
}

const messages = (events: ReeveEvent[]) => events.map(({ message }) => message);

describe('a binding', () => {
  it('keeps who comes early waiting, with what they said, until somebody accepts', async () => {
    const binding = await situation().open({});
    const client = connect(binding.port, '127.0.0.1');
    client.write('early');
    await once(client, 'connect');
    const served = new Promise<Socket>((resolve) => binding.accept(resolve));
    const socket = await served;
    socket.resume();
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('early');
    client.destroy();
    socket.destroy();
  });

  it('closes at once, with those who wait, while open connections go on', async () => {
    const binding = await situation().open({});
    expect(binding.listening()).toBe(true);
    const served = new Promise<Socket>((resolve) => binding.accept(resolve));
    const client = connect(binding.port, '127.0.0.1');
    const socket = await served;
    await binding.close();
    expect(binding.listening()).toBe(false);
    const late = connect(binding.port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    socket.end('still here');
    const [data] = (await once(client, 'data')) as [Buffer];
    expect(data.toString()).toBe('still here');
    client.destroy();
  });
});

describe('fail', () => {
  it('says who holds it, and tells of the conflict', async () => {
    const { port } = await holder();
    const { open, events } = situation();
    await expect(open({}, port)).rejects.toMatchObject({
      code: 'conflict',
      message: `cannot listen on tcp://127.0.0.1:${port}: held by cat (PID 7)`,
      hint: expect.stringContaining(`reeve why 127.0.0.1:${port}`),
    });
    expect(events).toMatchObject([{ kind: 'conflict', subject: 'listener/web' }]);
  });

  it('still says what is wrong when nobody can say who holds it', async () => {
    const { port } = await holder();
    const explain = async () => {
      throw new Error('no socket table');
    };
    const failing = situation({ explain }).open({}, port);
    await expect(failing).rejects.toThrow(/the holder could not be found: no socket table/);
  });
});

describe('retry', () => {
  it('binds as soon as the holder is gone', async () => {
    const { port, server } = await holder();
    const { open, events } = situation({}, () => server.close());
    const binding = await open({ policy: 'retry' }, port);
    expect(binding.port).toBe(port);
    expect(messages(events)).toEqual([
      `tcp://127.0.0.1:${port} cannot be bound: held by cat (PID 7)`,
      expect.stringContaining(`tcp://127.0.0.1:${port} bound after `),
    ]);
  });

  it('gives up when its time is over', async () => {
    const { port } = await holder();
    const failing = situation().open({ policy: 'retry', for: 150 }, port);
    await expect(failing).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('after trying for 150ms: held by cat'),
    });
  });

  it('waits for an address that may still come, and says that it never did', async () => {
    const { open, events } = situation();
    await expect(open({ policy: 'retry', for: 150 }, 0, '192.0.2.1')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('EADDRNOTAVAIL'),
    });
    expect(events).toHaveLength(1);
  });

  it('stops when it is cancelled', async () => {
    const { port } = await holder();
    const controller = new AbortController();
    const { open } = situation({}, () => controller.abort());
    const cancelled = open({ policy: 'retry' }, port, '127.0.0.1', controller.signal);
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('next', () => {
  it('takes a port above, and says which', async () => {
    const { port } = await holder();
    const { open, events } = situation();
    const binding = await open({ policy: 'next' }, port);
    expect(binding.port).toBeGreaterThan(port);
    expect(binding.port).toBeLessThanOrEqual(port + 20);
    expect(binding.endpoint.port).toBe(binding.port);
    expect(messages(events)[1]).toBe(`took 127.0.0.1:${binding.port} instead of port ${port}`);
  });

  it('fails when there is none in reach', async () => {
    const first = await holderBelowAnother();
    const failing = situation().open({ policy: 'next', tries: 1 }, first);
    await expect(failing).rejects.toThrow(`nor on any port up to ${first + 1}: held by cat`);
  });
});

describe('evict', () => {
  it('ends who holds it, again when that one comes back, and binds', async () => {
    let { server, port } = await holder();
    let evictions = 0;
    const evict: BindTools['evict'] = async (endpoint, allow) => {
      expect([endpoint.port, allow]).toEqual([port, ['cat']]);
      evictions += 1;
      server.close();
      await once(server, 'close');
      if (evictions === 1) ({ server } = await holder(port));
    };
    const binding = await situation({ evict }).open({ policy: 'evict' }, port);
    expect([binding.port, evictions]).toEqual([port, 2]);
  });

  it('fails at once when the holder may not be evicted, and says why', async () => {
    const { port } = await holder();
    const evict = async () => {
      throw new ReeveError('privilege', 'dog is not in allowEvict');
    };
    await expect(situation({ evict }).open({ policy: 'evict' }, port)).rejects.toMatchObject({
      code: 'privilege',
      message: expect.stringContaining('its holder was not evicted: dog is not in allowEvict'),
    });
  });

  it('evicts nobody for an address that this machine does not have', async () => {
    const failing = situation().open({ policy: 'evict' }, 0, '192.0.2.1');
    await expect(failing).rejects.toMatchObject({ code: 'config' });
  });

  it.runIf(needs('a port that needs privilege', 'linux', 'root'))(
    'evicts nobody, and tries nothing again, where privilege is what lacks',
    async (context) => {
      const firstFree = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
      if (firstFree === 0) context.skip('this machine gives every port to everybody');
      process.seteuid!(65_534);
      onTestFinished(() => process.seteuid!(0));
      for (const policy of ['evict', 'retry', 'next']) {
        const { open, events } = situation();
        await expect(open({ policy }, firstFree - 1)).rejects.toMatchObject({ code: 'privilege' });
        expect(events).toEqual([]);
      }
    },
  );
});

/** Two neighbouring ports that are both held; the lower one. */
async function holderBelowAnother(): Promise<number> {
  for (;;) {
    const { port } = await holder();
    const next = await holder(port + 1).catch(() => null);
    if (next) return port;
  }
}
