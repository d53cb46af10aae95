// The socket table as lsof tells it: for a macOS whose libproc answers in a layout that is not known here.
import { execFile } from 'node:child_process';
import { canonicalAddress, type Family, familyOf } from '../../core/address.ts';
import { ReeveError } from '../../core/errors.ts';
import type { SocketRow, SocketState } from '../system.ts';
import type { HeldRow } from './scan.ts';

const timeoutMs = 15_000;
const maxOutput = 64 * 1024 * 1024;

/** Fields, each ended by NUL: names of programs may hold everything else (lsof(8), "OUTPUT FOR OTHER PROGRAMS"). */
const argumentsOfLsof = ['-nP', '-i', '-F0pftdPnT'];

/** As lsof writes them on macOS, then as it does on Linux. */
const states: Record<string, SocketState> = {
  LISTEN: 'listen',
  ESTABLISHED: 'established',
  SYN_SENT: 'syn-sent',
  SYN_RCVD: 'syn-received',
  FIN_WAIT_1: 'fin-wait-1',
  FIN_WAIT_2: 'fin-wait-2',
  CLOSE_WAIT: 'close-wait',
  CLOSING: 'closing',
  LAST_ACK: 'last-ack',
  TIME_WAIT: 'time-wait',
  CLOSED: 'closed',
  SYN_RECV: 'syn-received',
  FIN_WAIT1: 'fin-wait-1',
  FIN_WAIT2: 'fin-wait-2',
  CLOSE: 'closed',
};

/** @throws ReeveError `unsupported` where lsof is not there or does not answer. */
export function runLsof(file: string): Promise<HeldRow[]> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      maxBuffer: maxOutput,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    };
    const child = execFile(file, argumentsOfLsof, options, (error, stdout) => {
      // It ends with 1 where there is no socket, or where some process could not be looked into.
      if (!error || error.code === 1) resolve(parseLsof(stdout));
      else {
        reject(
          new ReeveError(
            'unsupported',
            `cannot read the socket table: ${file} failed (${error.code ?? error.signal})`,
            {
              cause: error,
            },
          ),
        );
      }
    });
    child.stdin?.end();
  });
}

interface FileFields {
  fd: string;
  type?: string;
  device?: string;
  protocol?: string;
  name?: string;
  state?: string;
}

/** Sets of fields: a process, then its files. What is not understood is passed over. */
export function parseLsof(text: string): HeldRow[] {
  const held: HeldRow[] = [];
  let pid: number | null = null;
  let file: FileFields | null = null;
  const finish = () => {
    const row = pid !== null && file ? toRow(pid, file) : null;
    if (row) held.push({ pid: pid!, row });
    file = null;
  };
  for (const part of text.split('\0')) {
    // A line ends each set, after its last NUL.
    const field = part.replace(/^\n/, '');
    const value = field.slice(1);
    if (field.startsWith('p')) {
      finish();
      pid = /^[1-9]\d{0,9}$/.test(value) ? Number(value) : null;
    } else if (field.startsWith('f')) {
      finish();
      file = { fd: value };
    } else if (file) read(file, field[0], value);
  }
  finish();
  return held;
}

function read(file: FileFields, letter: string | undefined, value: string): void {
  if (letter === 't') file.type = value;
  else if (letter === 'd') file.device = value;
  else if (letter === 'P') file.protocol = value;
  else if (letter === 'n') file.name = value;
  else if (letter === 'T' && value.startsWith('ST=')) file.state = value.slice(3);
}

function toRow(pid: number, { fd, type, device, protocol, name = '', state }: FileFields): SocketRow | null {
  const family = type === 'IPv4' ? 'ipv4' : type === 'IPv6' ? 'ipv6' : null;
  if (family === null || (protocol !== 'TCP' && protocol !== 'UDP')) return null;
  const [here = '', there] = name.split('->', 2);
  const local = endOf(here, family);
  if (!local) return null;
  const remote = there === undefined ? null : endOf(there, family);
  return {
    protocol: protocol === 'TCP' ? 'tcp' : 'udp',
    family,
    address: local.address,
    port: local.port,
    remoteAddress: remote?.address ?? null,
    remotePort: remote?.port ?? null,
    state: protocol === 'TCP' ? tcpState(state, remote !== null) : remote ? 'established' : 'unconnected',
    id: device ? device : `${pid}/${fd}`,
    uid: null,
    receiveQueue: null,
    sendQueue: null,
    v6only: null,
    namespace: null,
  };
}

function tcpState(name: string | undefined, connected: boolean): SocketState {
  const state = states[name ?? ''] ?? 'closed';
  return state === 'closed' && !connected ? 'bound' : state;
}

/** `*:8080`, `127.0.0.1:8080`, `[::1]:8080`; null for `*:*`, which has no port. */
function endOf(text: string, family: Family): { address: string; port: number } | null {
  const match = /^(?:\*|\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65_535 || Number(match[3]) === 0) return null;
  const written = match[1] ?? match[2];
  const address = written ?? (family === 'ipv4' ? '0.0.0.0' : '::');
  if (familyOf(address.split('%')[0]!) !== family) return null;
  return { address: canonicalAddress(address), port: Number(match[3]) };
}
