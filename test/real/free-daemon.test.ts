// Freeing a port of reeve's own daemon: what it runs is told from it, and it alone is asked to end.
import { expect, test } from 'vitest';
import type { FreeRecord } from '../../src/core/records.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeveJson } from '../support/reeve.ts';
import { up } from './daemon-process.ts';
import { appService, house } from './daemon-support.ts';

const web = '\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { service: app } }\n';

test.runIf(needs('free and the daemon of reeve', 'linux'))(
  'free names the daemon of a listener with its workers, and of the port of a service',
  async () => {
    const home = house(`services:${appService}${web}`);
    const running = await up(home);
    const { pid } = running.child;
    await eventually(async () => (await running.status()).services[0]!.instances[0]!.state === 'up', 20_000);
    const { listeners, services } = await running.status();
    const instance = services[0]!.instances[0]!;
    const free = async (port: number | string, ...flags: string[]) =>
      (await reeveJson<FreeRecord>(['free', String(port), '--yes', ...flags])).results[0]!;

    // The daemon goes on, and keeps the port for the instance that it starts anew.
    const kept = await free(Object.values(instance.ports)[0]!);
    expect(kept).toMatchObject({
      outcome: 'failed',
      reason: `the reeve daemon (PID ${pid}) keeps it for a service: take that out of the configuration, or stop all (reeve down -c ${home.file})`,
    });

    const address = listeners[0]!.binds[0]!.address;
    const port = address.slice(address.lastIndexOf(':') + 1);
    const [step] = (await free(port, '--dry-run')).plan;
    expect(step!.subject).toMatch(
      new RegExp(`^the reeve daemon, node \\(PID ${pid}\\), with \\d+ started by it; `),
    );
    expect(step!.subject).toContain(`reeve down -c ${home.file} does the same`);
    expect(await free(port)).toMatchObject({ outcome: 'freed' });
    expect(await running.ended).toBe(0);
  },
  60_000,
);
