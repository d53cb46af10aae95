// The contract of sinks over standard output, files and NATS.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, onTestFinished } from 'vitest';
import type { ReeveEvent } from '../../src/core/context.ts';
import { broker } from '../support/nats.ts';
import { needs } from '../support/parts.ts';
import { Console, folder, opened, parse } from '../support/sinks.ts';
import { sinkContract } from './sinks.ts';

// The queue's 4 Mi characters, and the batch that was taken out of it.
const bound = 600;

sinkContract('stdout', async () => {
  const stdout = new Console();
  const events: ReeveEvent[] = [];
  const sink = await opened({ stdout: true }, { stdout, events });
  return {
    ...{ sink, events, bound },
    records: async () => parse(stdout.text),
    stop: async () => {
      stdout.stalled = [];
    },
    go: async () => stdout.go(),
  };
});

/** On a file system of 1 MiB that is filled and freed again. */
describe.runIf(needs('a file sink on a full disk', 'linux', 'root'))('on a disk of its own', () => {
  sinkContract('file', async () => {
    const where = await folder();
    const disk = path.join(where, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', ['-l', disk]));
    const grow = () => execFileSync('mount', ['-o', 'remount,size=100m', disk]);
    const events: ReeveEvent[] = [];
    const sink = await opened({ file: 'disk/events.jsonl' }, { where, events });
    return {
      ...{ sink, events, bound },
      records: async () => parse(await readFile(path.join(disk, 'events.jsonl'), 'utf8')),
      stop: async () =>
        void spawnSync('dd', ['if=/dev/zero', `of=${disk}/ballast`, 'bs=4k'], { stdio: 'ignore' }),
      go: async () => void grow(),
    };
  });
});

// What is under way, the queue, and the spool.
const natsBound = bound + 250;

describe.runIf(needs('a NATS sink', 'nats-server'))('with a real server', () => {
  sinkContract('nats', async () => {
    const nats = await broker();
    const where = await folder();
    const events: ReeveEvent[] = [];
    const config = { nats: [nats.url], stream: 'EVENTS', spool: { size: 2_000_000 } };
    const sink = await opened(config, { where, events });
    onTestFinished(() => sink.close());
    return {
      ...{ sink, events, bound: natsBound },
      records: async () => (await nats.messages('EVENTS')).map(({ text }) => JSON.parse(text)),
      stop: () => nats.kill(),
      go: () => nats.start(),
    };
  });
});
