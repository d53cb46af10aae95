// systemd's programs where they were unpacked beside the project: their libraries, and the units that they know.
import path from 'node:path';
import { program } from './parts.ts';

/** The environment that the program needs to run; nothing where it is installed. */
export function systemdEnvironment(name: string): Record<string, string> {
  const [root, unpacked] = (program(name) ?? '').split('.parts');
  if (unpacked === undefined) return {};
  const at = (below: string) => path.join(root!, '.parts', below);
  const libraries = ['usr/lib/x86_64-linux-gnu/systemd', 'usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'];
  return {
    LD_LIBRARY_PATH: libraries.map(at).join(':'),
    SYSTEMD_UNIT_PATH: [at('lib/systemd/system'), at('usr/lib/systemd/system')].join(':'),
  };
}
