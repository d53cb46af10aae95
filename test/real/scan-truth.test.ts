// A scan tells the truth: each of 300 listeners among 65,535 ports and none beside them, while connections come and go.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startNode } from '../support/children.ts';
import { join, namespace } from '../support/namespace.ts';
import { needs } from '../support/parts.ts';
import { scanIn } from '../support/scan-in.ts';

const everyPort = [{ first: 1, last: 65_535 }];
const population = readFileSync(new URL('../fixtures/scan/population.cjs', import.meta.url), 'utf8');
/** `node -e` leaves out the script's own name, which the population expects among its arguments. */
const populate = (count: number, churners: number) =>
  `process.argv = ['', '', '${count}', '${churners}']; ${population}`;
const rounds = Number(process.env.REEVE_SCAN_ROUNDS ?? 5);

describe.runIf(needs('scans in network namespaces', 'linux', 'root', 'ip'))(
  'scan of a known population',
  () => {
    it.each(['connect', 'syn'] as const)(
      'finds by %s exactly who listens, again and again',
      async (method) => {
        await using ns = await namespace();
        const { line } = await startNode(populate(300, 8), { prefix: ns.prefix });
        const known = JSON.parse(line) as number[];
        expect(known).toHaveLength(300);
        const records = await scanIn(ns.prefix, {
          host: '127.0.0.1',
          options: { ports: everyPort, method },
          rounds,
        });
        expect(records).toHaveLength(rounds);
        for (const { open, counts } of records) {
          expect(open.map(({ port }) => port)).toEqual(known);
          expect(counts).toEqual({ open: 300, closed: 65_235, filtered: 0 });
        }
      },
      rounds * 20_000 + 60_000,
    );

    it("finds the same on Node's own sockets", async () => {
      await using ns = await namespace();
      const { line } = await startNode(populate(300, 4), { prefix: ns.prefix });
      const [record] = await scanIn(ns.prefix, {
        host: '127.0.0.1',
        options: { ports: everyPort },
        portable: true,
      });
      expect(record!.open.map(({ port }) => port)).toEqual(JSON.parse(line));
      expect(record!.counts).toEqual({ open: 300, closed: 65_235, filtered: 0 });
    });

    it.each([false, true])(
      'never takes a connection to itself for a listener (portable: %s)',
      async (portable) => {
        await using ns = await namespace();
        // Four source ports in all: every other connect to one of them would be a connection to itself.
        const narrow = `require('node:fs').writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40003');`;
        const provoke = `
      const net = require('node:net');
      let met = 0, left = 200;
      const next = () => {
        if (left-- === 0) return console.log(met);
        const socket = net.connect(40000 + (left % 4), '127.0.0.1');
        socket.on('connect', () => { met += 1; socket.resetAndDestroy(); });
        socket.on('error', () => {}).on('close', next);
      };
      next();`;
        const { line } = await startNode(narrow + provoke, { prefix: ns.prefix });
        // The provocation works: nobody listens, and yet plain connects succeed.
        expect(Number(line)).toBeGreaterThan(0);
        const records = await scanIn(ns.prefix, {
          host: '127.0.0.1',
          options: { ports: [{ first: 39_990, last: 40_013 }] },
          rounds: 50,
          portable,
        });
        for (const { counts } of records) expect(counts).toEqual({ open: 0, closed: 24, filtered: 0 });
      },
    );
  },
);

describe.runIf(needs('scans between network namespaces', 'linux', 'root', 'ip', 'ipv6'))(
  'scan of another host',
  () => {
    /** TCP 80 and 8080 listen, replies of 81 get lost; UDP 53 answers, 5353 stays silent. */
    const services = `
    const net = require('node:net');
    const dgram = require('node:dgram');
    const up = [80, 8080, 81].map((port) => new Promise((resolve) => net.createServer((socket) => socket.on('error', () => {})).listen(port, '::', resolve)));
    const socket = dgram.createSocket('udp6').on('message', (data, from) => socket.send(data, from.port, from.address));
    up.push(new Promise((resolve) => socket.bind(53, '::', resolve)));
    up.push(new Promise((resolve) => dgram.createSocket('udp6').bind(5353, '::', resolve)));
    Promise.all(up).then(() => console.log('up'));`;

    async function hosts() {
      const here = await namespace();
      const there = await namespace();
      await join(
        here,
        there,
        ['10.77.0.1/24', 'fd77::1/64'],
        ['10.77.0.2/24', 'fd77::2/64', 'fe80::77:2/64'],
      );
      for (const family of ['-4', '-6']) {
        await there.ip(family, 'rule', 'add', 'ipproto', 'tcp', 'sport', '81', 'blackhole');
      }
      await startNode(services, { prefix: there.prefix });
      return {
        here,
        async [Symbol.asyncDispose]() {
          await here[Symbol.asyncDispose]();
          await there[Symbol.asyncDispose]();
        },
      };
    }
    const options = {
      ports: [
        { first: 70, last: 100 },
        { first: 8080, last: 8080 },
      ],
      timeoutMs: 500,
    };

    it.each([
      ['connect', '10.77.0.2', false],
      ['connect', 'fd77::2', false],
      ['connect', 'fd77::2', true],
      ['connect', 'fe80::77:2%veth0', false],
      ['syn', '10.77.0.2', false],
      ['syn', 'fd77::2', false],
      ['syn', 'fe80::77:2%veth0', false],
    ] as const)('by %s of %s (portable: %s)', async (method, host, portable) => {
      await using both = await hosts();
      const [record] = await scanIn(both.here.prefix, { host, options: { ...options, method }, portable });
      expect(record).toMatchObject({
        host,
        method,
        open: [
          { port: 80, protocol: 'tcp', service: 'http', banner: null },
          { port: 8080, protocol: 'tcp', service: 'http-alt', banner: null },
        ],
        counts: { open: 2, closed: 29, filtered: 1 },
      });
    });

    it.each(['10.77.0.2', 'fd77::2'])(
      'by UDP of %s: an answer opens, a refusal closes, silence is filtered',
      async (host) => {
        await using both = await hosts();
        // Few ports: the kernel sends only some refusals at once, then one a second.
        const [record] = await scanIn(both.here.prefix, {
          host,
          options: {
            method: 'udp',
            ports: [53, 54, 161, 5353].map((port) => ({ first: port, last: port })),
            timeoutMs: 500,
          },
        });
        expect(record).toMatchObject({
          open: [{ port: 53, protocol: 'udp', service: 'dns', banner: null }],
          counts: { open: 1, closed: 2, filtered: 1 },
        });
      },
    );

    it('calls every port of a host that is not there filtered', async () => {
      await using both = await hosts();
      for (const method of ['connect', 'syn'] as const) {
        const [record] = await scanIn(both.here.prefix, {
          host: '10.77.0.9',
          options: { ports: [{ first: 1, last: 50 }], method, timeoutMs: 300 },
        });
        expect(record!.counts).toEqual({ open: 0, closed: 0, filtered: 50 });
      }
    });

    it('takes its own packets, which come back over loopback, for no answers', async () => {
      await using both = await hosts();
      const [record] = await scanIn(both.here.prefix, {
        host: '10.77.0.1',
        options: { ports: [{ first: 1, last: 2000 }], method: 'syn' },
      });
      expect(record!.counts).toEqual({ open: 0, closed: 2000, filtered: 0 });
    });
  },
);
