// Stopping units and containers, with small programs in the place of systemctl and docker.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needs } from '../../../test/support/parts.ts';
import { createManagers } from './managers.ts';

let folder: string;
const log = () => readFileSync(path.join(folder, 'log'), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-managers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that writes down its arguments, one in brackets each, then does as told. */
function install(name: string, then = ''): void {
  const file = path.join(folder, name);
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '[%s]' "$0" "$@" | sed 's|${folder}/||' > '${folder}/log'\n${then}\n`,
  );
  chmodSync(file, 0o755);
}

const managers = () => createManagers(folder);
const patience = () => AbortSignal.timeout(10_000);

describe.runIf(needs('service managers of Linux', 'linux'))('managers', () => {
  it('stops a unit with its name after the options', async () => {
    install('systemctl');
    await managers().stopUnit('a@1.service', patience());
    expect(log()).toBe('[systemctl][--no-ask-password][stop][--][a@1.service]');
  });

  it("asks the user's own manager for a unit of it", async () => {
    install('systemctl');
    const own = `user@${process.geteuid!()}.service/app.service`;
    await managers().stopUnit(own, patience());
    expect(log()).toBe('[systemctl][--no-ask-password][--user][stop][--][app.service]');
    expect(managers().stopUnitCommand(own)).toBe('systemctl --user stop -- app.service');
    expect(managers().stopUnitCommand('user@4242.service/app.service')).toBe(
      'systemctl --user --machine=4242@.host stop -- app.service',
    );
  });

  it('stops a container with the runtime that is there', async () => {
    install('podman');
    await managers().stopContainer('web-1', patience());
    expect(log()).toBe('[podman][stop][--][web-1]');
    expect(managers().stopContainerCommand('web-1')).toBe('podman stop -- web-1');
    install('docker');
    expect(managers().stopContainerCommand('web-1')).toBe('docker stop -- web-1');
  });

  it('asks the second runtime for what the first does not know', async () => {
    install('docker', `echo 'Error response from daemon: No such container: web' >&2; exit 1`);
    await expect(managers().stopContainer('web', patience())).rejects.toMatchObject({ code: 'conflict' });
    install('podman');
    await managers().stopContainer('web', patience());
    expect(log()).toBe('[podman][stop][--][web]');
  });

  it('quotes for a shell what a shell would change', () => {
    expect(managers().stopUnitCommand('a\\x2db.service')).toBe("systemctl stop -- 'a\\x2db.service'");
  });

  it('says which program is missing', async () => {
    await expect(managers().stopUnit('a.service', patience())).rejects.toMatchObject({
      code: 'unsupported',
      message: 'cannot stop the unit a.service: systemctl is not installed here',
    });
    await expect(managers().stopContainer('web', patience())).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('passes on why it was refused, without control characters', async () => {
    install('systemctl', `printf 'Unit a.service\\033[31m not loaded.\\n' >&2; exit 5`);
    await expect(managers().stopUnit('a.service', patience())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^cannot stop the unit a\.service: Unit a\.service \[31m not loaded\.$/),
    });
  });

  it('tells a refusal for want of privilege', async () => {
    install('systemctl', `echo 'Failed to stop a.service: Interactive authentication required.' >&2; exit 1`);
    await expect(managers().stopUnit('a.service', patience())).rejects.toMatchObject({
      code: 'privilege',
      hint: 'Run it as root (sudo)',
    });
  });

  it('stops waiting when told to', async () => {
    install('systemctl', 'exec sleep 60');
    const stop = new AbortController();
    const stopping = managers().stopUnit('a.service', stop.signal);
    stop.abort();
    await expect(stopping).rejects.toMatchObject({ code: 'aborted' });
    await expect(managers().stopUnit('a.service', stop.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('runs nothing from a relative folder of the search path', async () => {
    install('systemctl');
    const relative = path.relative(process.cwd(), folder);
    await expect(createManagers(`:${relative}`).stopUnit('a.service', patience())).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});
