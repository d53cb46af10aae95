// Chooses the System by platform: the one place that asks which platform this is. Entry points call it once.
import type { System } from './system.ts';

/** Loads only the chosen platform's code. */
export async function selectSystem(): Promise<System> {
  if (process.platform === 'linux') return (await import('./linux/index.ts')).createLinuxSystem();
  if (process.platform === 'win32') return (await import('./windows/index.ts')).createWindowsSystem();
  if (process.platform === 'darwin') return (await import('./macos/index.ts')).createMacosSystem();
  return (await import('./unsupported/index.ts')).createUnsupportedSystem(process.platform);
}
