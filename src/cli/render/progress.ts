// A progress bar on a terminal, nothing elsewhere.
import type { Common } from '../define.ts';
import type { Io } from '../io.ts';

export interface Progress {
  update(done: number, total: number, open: number): void;
  close(): void;
}

const silent: Progress = { update() {}, close() {} };

/** Drawn at most ten times a second, so that drawing never slows the work. */
const redrawMs = 100;

export async function openProgress(io: Io, title: string, { json, quiet }: Common): Promise<Progress> {
  if (json || quiet || !io.host.stderr.isTTY) return silent;
  const { progress } = await import('@clack/prompts');
  const bar = progress({ max: 1000, output: io.host.stderr });
  bar.start(title);
  let drawn = 0;
  let last = 0;
  return {
    update(done, total, open) {
      const now = performance.now();
      if (now - last < redrawMs && done < total) return;
      last = now;
      const target = Math.floor((done / total) * 1000);
      bar.advance(target - drawn, `${title}: ${done} of ${total} ports, ${open} open`);
      drawn = target;
    },
    close: () => bar.clear(),
  };
}
