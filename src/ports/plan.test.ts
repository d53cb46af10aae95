// The plan: whom free would stop, and whom it never touches.
import { describe, expect, it } from 'vitest';
import type { ProcessFacts, ProcessNode, SocketRow } from '../system/index.ts';
import { downCommand } from './family.ts';
import type { HeldSocket } from './lookup.ts';
import { type PlanFacts, planFree } from './plan.ts';

const self = process(500, 400, 'node');
const tree = new Map(
  [
    process(1, null, 'systemd'),
    process(300, 1, 'sshd'),
    process(400, 300, 'bash'),
    self,
    process(600, 400, 'npm'),
    process(601, 600, 'node'),
    process(602, 601, 'worker'),
    process(603, 601, 'worker'),
    process(700, 1, 'docker-proxy'),
  ].map((each) => [each.pid, each as ProcessNode]),
);

function process(
  pid: number,
  parent: number | null,
  name: string,
  more: Partial<ProcessFacts> = {},
): ProcessFacts {
  const facts = {
    command: [name],
    user: 'ann',
    uid: 1000,
    cwd: '/',
    startedAt: null,
    unit: null,
    services: [],
    container: null,
  };
  return { pid, start: `t${pid}`, parent, name, ...facts, ...more };
}

function socket(
  holders: ProcessFacts[],
  more: Partial<SocketRow> = {},
  hidden: HeldSocket['hidden'] = null,
): HeldSocket {
  const row: SocketRow = {
    protocol: 'tcp',
    family: 'ipv4',
    address: '127.0.0.1',
    port: 3000,
    remoteAddress: null,
    remotePort: null,
    state: 'listen',
    id: '77',
    uid: 1000,
    receiveQueue: 0,
    sendQueue: 128,
    v6only: null,
    namespace: null,
    ...more,
  };
  return { row, holders, hidden, urls: [] };
}

function plan(sockets: HeldSocket[], more: Partial<PlanFacts> = {}) {
  return planFree({ sockets, tree, self, selfPid: self.pid, force: false, ...more });
}

const node = tree.get(601) as ProcessFacts;

describe('planFree()', () => {
  it('has nothing to do where nobody owns the port', () => {
    expect(plan([])).toEqual({ kind: 'nothing' });
  });

  it('ends the holder with all that it started, parents first, and nothing above it', () => {
    expect(plan([socket([node])])).toMatchObject({
      kind: 'stop',
      steps: [
        {
          action: 'terminate',
          processes: [
            { pid: 601, start: 't601' },
            { pid: 602, start: 't602' },
            { pid: 603, start: 't603' },
          ],
          subject: 'node (PID 601), with 2 started by it',
        },
      ],
    });
  });

  it("leaves the host of the holder's console to end by itself", () => {
    const withConsole = new Map(tree).set(604, process(604, 601, 'conhost.exe'));
    const { steps } = plan([socket([node])], { tree: withConsole }) as { steps: { processes: unknown[] }[] };
    expect(steps[0]!.processes).not.toContainEqual(expect.objectContaining({ pid: 604 }));
  });

  it('ends workers that share one socket once each', () => {
    const workers = [602, 603].map((pid) => tree.get(pid) as ProcessFacts);
    const steps = plan([socket(workers), socket(workers, { family: 'ipv6', address: '::' })]);
    expect(steps).toMatchObject({ steps: [{ processes: [{ pid: 602 }, { pid: 603 }] }] });
  });

  it('names the parent alone where it has the socket together with the workers that it started', () => {
    const family = [601, 602, 603].map((pid) => tree.get(pid) as ProcessFacts);
    expect(plan([socket(family)])).toMatchObject({
      steps: [{ subject: 'node (PID 601), with 2 started by it', asked: [{}, {}, {}] }],
    });
  });

  it('asks the daemon of reeve alone, which ends its own, and names the command for it', () => {
    const command = ['node', '/usr/lib/portreeve/dist/reeve.cjs', 'up', '-c', 'prod.yaml'];
    const daemon = process(601, 600, 'node', { command, cwd: '/srv/app' });
    const workers = [602, 603].map((pid) => tree.get(pid) as ProcessFacts);
    expect(plan([socket([daemon, ...workers])])).toMatchObject({
      steps: [
        {
          processes: [{ pid: 601 }, { pid: 602 }, { pid: 603 }],
          asked: [{ pid: 601 }],
          subject:
            'the reeve daemon, node (PID 601), with 2 started by it; reeve down -c /srv/app/prod.yaml does the same',
        },
      ],
    });
  });

  it.each([
    [['node', '/x/reeve.cjs', 'up'], 'reeve down -c /srv/app/reeve.yaml'],
    [['/usr/bin/reeve', '--json', 'up', '--config=/etc/reeve.yaml'], 'reeve down -c /etc/reeve.yaml'],
    [['node', '/x/reeve.cjs', 'up', '-c', "it's.yaml"], 'reeve down'],
    [['node', '/x/reeve.cjs', 'run', 'up'], null],
    [['vi', 'reeve.yaml'], null],
  ])('knows the daemon by its command: %j', (command, down) => {
    expect(downCommand({ command, cwd: '/srv/app' })).toBe(down);
  });

  it('includes a holder that the process list has not seen yet', () => {
    expect(plan([socket([process(999, 1, 'new')])])).toMatchObject({
      steps: [{ processes: [{ pid: 999 }] }],
    });
  });

  it.each([
    [500, 'reeve itself'],
    [400, 'parent of this reeve'],
    [300, 'parent of this reeve'],
  ])('spares PID %d: %s', (pid, reason) => {
    expect(plan([socket([tree.get(pid) as ProcessFacts])])).toMatchObject({
      kind: 'refuse',
      why: 'protected',
      reason: expect.stringContaining(reason),
    });
  });

  it('spares every holder when one of them is protected, also with force', () => {
    const both = [node, tree.get(400) as ProcessFacts];
    for (const force of [false, true]) expect(plan([socket(both)], { force }).kind).toBe('refuse');
  });

  it('stops a Windows service rather than its process, and no process that several share', () => {
    const one = socket([process(900, 1, 'svchost.exe', { services: ['W32Time'] })]);
    expect(plan([one])).toMatchObject({ steps: [{ action: 'stop-unit', unit: 'W32Time' }] });
    expect(plan([one], { force: true })).toMatchObject({ steps: [{ action: 'terminate' }] });
    const shared = socket([process(901, 1, 'svchost.exe', { services: ['Dnscache', 'NlaSvc'] })]);
    expect(plan([shared])).toMatchObject({ kind: 'refuse', reason: expect.stringContaining('NlaSvc') });
  });

  it.each(['csrss.exe', 'LSASS.EXE', 'services.exe'])('never ends %s, also with force', (name) => {
    expect(plan([socket([process(700, 1, name)])], { force: true })).toMatchObject({ why: 'protected' });
  });

  it('names what http.sys serves', () => {
    const ofKernel = { ...socket([process(4, 1, 'System')]), urls: ['http://+:80/ (PID 12)'] };
    expect(plan([ofKernel])).toMatchObject({ why: 'kernel', reason: expect.stringContaining('PID 12') });
  });

  it.each([1, 2, 4, 0])('never touches PID %d', (pid) => {
    const facts = { selfPid: 5000, self: null, tree: new Map(), force: true };
    expect(plan([socket([process(pid, null, 'system')])], facts)).toMatchObject({
      kind: 'refuse',
      why: 'protected',
    });
  });

  it('refuses where the holder is hidden, and tells the kernel from a lack of privilege', () => {
    const hidden = { reason: '12 processes may not be looked into', needs: 'root' };
    expect(plan([socket([], {}, hidden)])).toMatchObject({
      why: 'hidden',
      reason: expect.stringContaining('12'),
    });
    expect(plan([socket([], {}, { reason: 'kernel', needs: null })])).toMatchObject({ why: 'kernel' });
    expect(plan([socket([], { id: null })])).toMatchObject({ why: 'kernel' });
  });

  it('refuses if any of several sockets has a hidden holder', () => {
    const hidden = { reason: 'other user', needs: 'root' };
    expect(plan([socket([node]), socket([], {}, hidden)]).kind).toBe('refuse');
  });

  it('leaves a bound socket that does not listen to its owner, unless forced', () => {
    const bound = socket([node], { state: 'bound' });
    expect(plan([bound])).toMatchObject({ why: 'not-listening', reason: expect.stringContaining('--force') });
    expect(plan([bound], { force: true }).kind).toBe('stop');
  });

  it('stops the unit rather than its process, once, and signals only with force', () => {
    const held = [
      process(601, 1, 'api', { unit: 'api.service' }),
      process(602, 1, 'api', { unit: 'api.service' }),
    ];
    expect(plan([socket(held)])).toMatchObject({ steps: [{ action: 'stop-unit', unit: 'api.service' }] });
    expect(plan([socket(held)], { force: true })).toMatchObject({ steps: [{ action: 'terminate' }] });
  });

  it.each(['session-3.scope', 'user@1000.service', null])('signals where the unit is %s', (unit) => {
    expect(plan([socket([process(601, 600, 'node', { unit })])])).toMatchObject({
      steps: [{ action: 'terminate' }],
    });
  });

  it('does not stop the unit or container that reeve runs in itself', () => {
    const here = { unit: 'dev.service', container: 'c'.repeat(64) };
    const steps = plan([socket([process(601, 600, 'node', here)])], { self: { ...self, ...here } });
    expect(steps).toMatchObject({ steps: [{ action: 'terminate' }] });
  });

  it('stops the container, and points from a proxy to it', () => {
    const inside = process(601, 1, 'nginx', { container: 'a1'.repeat(32), unit: 'docker.service' });
    expect(plan([socket([inside])])).toMatchObject({
      steps: [{ action: 'stop-container', container: 'a1'.repeat(32) }],
    });
    expect(plan([socket([tree.get(700) as ProcessFacts])])).toMatchObject({ why: 'proxy' });
  });

  it('never stops the container runtime for a port that it only forwards', () => {
    const daemon = process(800, 1, 'dockerd', { unit: 'docker.service' });
    expect(plan([socket([daemon])], { force: true })).toMatchObject({ kind: 'refuse', why: 'proxy' });
  });

  it('strips control characters from names before they are shown', () => {
    const made = plan([socket([process(601, 600, 'evil\u001b[31m\u202ename')])]);
    const shown = made.kind === 'stop' ? made.steps[0]!.subject : '';
    expect(shown).toContain('evil');
    expect(shown).not.toMatch(/[\u001b\u202e]/);
  });
});
