// Whether this machine reaches anybody at all: asked when a probe of another machine fails.
import type { Context } from '../core/context.ts';
import { isLocalProbe } from '../core/probe-url.ts';
import type { ProbeResult } from './outcome.ts';

export interface Gateway {
  /** The same result; unknown where it is a failure beyond this machine, and the gateway is not reached either. */
  doubted(url: string, result: ProbeResult, signal: AbortSignal): Promise<ProbeResult>;
  /** Null: not asked yet. */
  readonly reached: boolean | null;
}

/** One answer serves all probes that fail within this time, in milliseconds. */
const answerServes = 1000;

type Ask = (url: string, signal: AbortSignal) => Promise<ProbeResult>;

export function createGateway(url: string, ask: Ask, { clock, emit }: Context): Gateway {
  let reached: boolean | null = null;
  let asked: Promise<boolean> | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let detail: string | null = null;

  const look = async () => {
    // Its own: who asked first may give up before the others.
    const found = await ask(url, new AbortController().signal);
    const now = found.verdict === 'up';
    askedAt = clock.monotonic();
    detail = found.detail ?? found.reason;
    if (now !== (reached ?? true)) {
      const message = now
        ? 'the gateway answers again'
        : `the gateway does not answer (${detail}): failures beyond this machine say nothing until it does`;
      emit({
        kind: 'health',
        subject: 'gateway',
        message,
        detail: { verdict: found.verdict, reason: found.reason },
      });
    }
    reached = now;
    return now;
  };
  return {
    get reached() {
      return reached;
    },
    async doubted(target, result, signal) {
      if (result.verdict !== 'down' || isLocalProbe(target)) return result;
      if (clock.monotonic() - askedAt > answerServes) {
        asked ??= look().finally(() => {
          asked = null;
        });
        await asked;
      }
      if (reached || signal.aborted) return result;
      const words = `neither it nor the gateway answers (${result.detail ?? result.reason})`;
      return { ...result, verdict: 'unknown', reason: 'gateway', detail: words };
    },
  };
}
