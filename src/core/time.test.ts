// Waiting: it ends on time, at once when cancelled, and leaves nothing behind.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReeveError } from './errors.ts';
import { abortError, sleep } from './time.ts';

describe('sleep', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('resolves when the time is over, and lets go of the signal', async () => {
    const { signal } = new AbortController();
    const sleeping = sleep(5000, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5000);
    await sleeping;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sleeps longer than a timer of Node can', async () => {
    let awake = false;
    const month = 30 * 86_400_000;
    void sleep(month).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(month - 1);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
  });

  it('rejects at once when cancelled, in the second stretch of a long sleep too', async () => {
    const stop = new AbortController();
    const sleeping = sleep(30 * 86_400_000, stop.signal);
    const told = expect(sleeping).rejects.toMatchObject({ code: 'aborted' });
    await vi.advanceTimersByTimeAsync(26 * 86_400_000);
    stop.abort();
    await told;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not start when it is cancelled already', async () => {
    await expect(sleep(1, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('abortError', () => {
  it('keeps our own reason, and a timeout a timeout', () => {
    const own = new ReeveError('conflict', 'taken');
    expect(abortError(AbortSignal.abort(own))).toBe(own);
    expect(abortError(AbortSignal.abort(new DOMException('late', 'TimeoutError')))).toMatchObject({
      code: 'timeout',
    });
    expect(abortError(AbortSignal.abort('why'))).toMatchObject({ code: 'aborted', cause: 'why' });
  });
});
