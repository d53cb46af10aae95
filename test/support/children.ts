// Child processes for tests: started with a few lines of JavaScript, known to be up, and ended with the test by PID.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach } from 'vitest';

const started = new Set<ChildProcess>();

export interface Child {
  pid: number;
  process: ChildProcess;
  /** The first line that it printed. */
  line: string;
}

/** Runs `script` in a Node of its own; resolves once it has printed a line. It is killed after the test. */
export async function startNode(
  script: string,
  options: SpawnOptions & { prefix?: string[] } = {},
): Promise<Child> {
  const { prefix = [], ...rest } = options;
  const command = [...prefix, process.execPath, '-e', script];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], ...rest });
  started.add(child);
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the child ended with ${code ?? signal}: ${text}`)),
    );
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
  });
  return { pid: child.pid!, process: child, line };
}

/** Ends the child and waits until it is gone. */
export async function endChild({ process: child }: Pick<Child, 'process'>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

afterEach(async () => {
  for (const child of started) await endChild({ process: child });
  started.clear();
});

/** Asks until the answer is neither null, undefined nor false; for what gives no event. */
export async function eventually<Answer>(
  ask: () => Answer | Promise<Answer>,
  deadlineMs = 10_000,
): Promise<NonNullable<Answer>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not so within ${deadlineMs} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
