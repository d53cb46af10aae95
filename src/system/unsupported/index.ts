// The System where Portreeve has no code for the platform: what Node itself can do, and a clear refusal for the rest.
import { networkInterfaces, userInfo } from 'node:os';
import { ReeveError } from '../../core/errors.ts';
import type { System } from '../system.ts';
import { attemptBind } from './binder.ts';

export function createUnsupportedSystem(platform: string): System {
  const refuse = (what: string) => () => {
    throw new ReeveError(
      'unsupported',
      `cannot ${what} on ${platform}: only Linux, macOS and Windows are supported so far`,
      {
        hint: 'Commands that only bind, connect or listen still work here',
      },
    );
  };
  const refuseLater = (what: string) => async () => refuse(what)();

  return {
    platform,
    sockets: {
      table: refuseLater('read the socket table'),
      holders: refuseLater('find the processes that hold a socket'),
    },
    processes: {
      facts: refuseLater('look at a process'),
      list: refuseLater('list processes'),
      identify: refuseLater('identify a process'),
      signal: refuseLater('signal a process safely'),
      exited: refuseLater('watch a process'),
    },
    containment: {
      abilities: { adoptsOrphans: false, findsMarked: false, endsWithThis: false, encloses: false },
      endWithThis: () => false,
      adoptOrphans: () => false,
      enclose: (_mark, start) => start(),
      killEnclosed() {},
      dissolve() {},
      marked: refuseLater('find processes by their environment'),
      zombies: () => [],
      reap: () => false,
    },
    binder: {
      // libuv sets SO_REUSEADDR on Unix, with which macOS lets each family have the port.
      dualStackMeetsAll: false,
      attempt: attemptBind,
      park: refuseLater('park a port'),
      listening: refuseLater('pass on a listening socket'),
    },
    scanner: { connect: () => null, syn: refuse('send packets of its own making') },
    host: { facts: async () => hostFacts() },
    managers: {
      stopUnit: refuseLater('stop a service'),
      stopContainer: refuseLater('stop a container'),
      stopUnitCommand: refuse('stop a service'),
      stopContainerCommand: refuse('stop a container'),
    },
    elevation: {
      has: () => process.geteuid?.() === 0,
      words: (program) => program.join(' '),
      run: async () => null,
    },
  };
}

function hostFacts() {
  const interfaces = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
    (all ?? []).map(({ address, family }) => ({ address, family, interface: name })),
  );
  const hasIpv6 = interfaces.some(({ family }) => family === 'IPv6');
  const uid = process.geteuid?.() ?? null;
  return {
    user: { uid, name: userInfo().username, elevated: uid === 0 },
    ephemeral: null,
    reserved: [],
    excluded: [],
    // What every Unix but Linux has had since BSD; elsewhere the bind itself tells.
    unprivilegedFrom: uid === null ? 0 : 1024,
    mayBindPrivileged: uid === null || uid === 0,
    ipv6: {
      available: hasIpv6,
      v6onlyDefault: false,
      reason: hasIpv6 ? null : 'no network interface has an IPv6 address',
    },
    descriptors: { open: null, soft: null, hard: null },
    addresses: interfaces.map(({ address, interface: name }) => ({ address, interface: name })),
  };
}
