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
      return new Promise((resolve) => {
        const end = () => {
          signal.removeEventListener('abort', wakeUp);
          resolve();
        };
        // Once all that the event loop has found is told: whoever went on in the middle would take ports for silent
        // whose answers are next.
        const wakeUp = () => {
          clearTimeout(timer);
          wake = null;
          setImmediate(end);
        };
        const timer = setTimeout(wakeUp, signal.aborted || answers.length > 0 ? 0 : ms);
        signal.addEventListener('abort', wakeUp, { once: true });
        wake = wakeUp;
      });
    },
  };
}
