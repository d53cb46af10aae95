// Answers that arrive as events, kept until the scan's loop collects them.
import type { PortAnswer, Prober } from '../../system/index.ts';

export interface Inbox extends Pick<Prober, 'collect' | 'wait'> {
  put(port: number, answer: PortAnswer | 'full'): void;
}

export function createInbox(): Inbox {
  let answers: [number, PortAnswer | 'full'][] = [];
  let wake: (() => void) | null = null;
  return {
    put(port, answer) {
      answers.push([port, answer]);
      wake?.();
    },
    collect(heard) {
      const now = answers;
      answers = [];
      for (const [port, answer] of now) heard(port, answer);
    },
    wait(ms, signal) {
      // Always through a timer: sockets' events come only once the event loop gets its turn.
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          wake = null;
          resolve();
        };
        const timer = setTimeout(end, signal.aborted || answers.length > 0 ? 0 : ms);
        signal.addEventListener('abort', end, { once: true });
        wake = end;
      });
    },
  };
}
