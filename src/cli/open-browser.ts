// Opens a page in the person's browser, where there is one.
import { spawn } from 'node:child_process';

const openers: Record<string, [string, ...string[]]> = {
  darwin: ['open'],
  // `start` is the shell's own; its first quoted word would be a title.
  win32: ['cmd', '/c', 'start', '""'],
};

/** Never fails, and keeps nothing waiting: a machine without a browser is none of the command's problems. */
export function openBrowser(url: string, platform: string, env: NodeJS.ProcessEnv): void {
  const [program, ...args] = openers[platform] ?? ['xdg-open'];
  try {
    const child = spawn(program, [...args, url], { detached: true, stdio: 'ignore', env });
    child.on('error', () => {});
    child.unref();
  } catch {
    // As above.
  }
}
