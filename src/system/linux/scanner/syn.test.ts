// The SYN prober against forged packets: who has not seen our packet cannot answer it.
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/children.ts';
import { needs } from '../../../../test/support/parts.ts';
import { rawSocket } from '../../../../test/support/raw-socket.ts';
import { checked, libc } from '../../../ffi/index.ts';
import { encodeAddress } from '../bound.ts';
import { createLinuxSystem } from '../index.ts';
import { createSynProber } from './syn.ts';

const loopback = '127.0.0.1';

/** Sends a bare TCP header from loopback to loopback, as if from `port`. */
function forge(port: number, to: number, flags: number, acknowledged: number): void {
  const segment = new Uint8Array(20);
  const view = new DataView(segment.buffer);
  view.setUint16(0, port);
  view.setUint16(2, to);
  view.setUint32(8, acknowledged);
  view.setUint16(12, 0x5000 | flags);
  const raw = checked('socket', libc.socket(2, 3, 6));
  try {
    const { sockaddr } = encodeAddress(loopback, 0);
    checked('connect', libc.connect(raw, sockaddr, sockaddr.length));
    checked('send', libc.send(raw, segment, segment.length, 0));
  } finally {
    libc.close(raw);
  }
}

describe.runIf(needs('forged answers to SYN packets', 'linux', 'root'))('createSynProber', () => {
  it('believes no answer that does not acknowledge its own number', async () => {
    using listener = rawSocket(loopback, { listen: 5 });
    const system = createLinuxSystem();
    const before = await system.sockets.table({ protocols: ['tcp'] });
    const prober = createSynProber({ address: loopback, local: true, capacity: 10 });
    try {
      const { rows } = await system.sockets.table({ protocols: ['tcp'] });
      const old = new Set(before.rows.map(({ id }) => id));
      const own = rows.find(
        ({ state, address, id }) => state === 'bound' && address === loopback && !old.has(id),
      )!;
      const answers = new Map<number, string>();
      const collect = () => prober.collect((port, answer) => void answers.set(port, answer));
      // Asked and still unsent: what is forged now arrives before any real answer can.
      const closed = 1;
      expect(prober.ask(closed)).toBe('asked');
      for (const acknowledged of [0, 1, 0xffff_ffff, 0x1234_5678]) {
        forge(closed, own.port, 0x12, acknowledged);
        forge(2, own.port, 0x12, acknowledged);
      }
      expect(prober.ask(listener.port)).toBe('asked');
      await eventually(async () => {
        collect();
        await prober.wait(10, new AbortController().signal);
        return answers.size >= 2;
      });
      expect(Object.fromEntries(answers)).toEqual({ [closed]: 'closed', [listener.port]: 'open' });
    } finally {
      prober.close();
    }
  });

  it('does not ask the port that it comes from', async () => {
    const system = createLinuxSystem();
    const prober = createSynProber({ address: loopback, local: true, capacity: 10 });
    try {
      const { rows } = await system.sockets.table({ protocols: ['tcp'] });
      const bound = rows.filter(({ state, address }) => state === 'bound' && address === loopback);
      expect(bound.map(({ port }) => prober.ask(port))).toContain('closed');
    } finally {
      prober.close();
    }
  });
});
