// The installer for this system; the code of the others stays unread.
import { ReeveError } from '../../core/errors.ts';
import type { System } from '../../system/index.ts';
import type { Io } from '../io.ts';
import { platformOf } from './places.ts';
import type { Installer, InstallerOptions } from './work.ts';

export async function installerOf(system: System, io: Io, options: InstallerOptions): Promise<Installer> {
  const platform = platformOf(system.platform);
  if (platform !== 'linux' && options.root !== null)
    throw new ReeveError('unsupported', `--root is for Linux, not for ${platform}`);
  if (platform === 'windows') return (await import('./windows.ts')).windowsInstaller(system, io.signal);
  if (platform === 'macos') return (await import('./macos.ts')).macosInstaller(options, io.signal);
  return (await import('./linux.ts')).linuxInstaller(options, io);
}
