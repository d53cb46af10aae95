// Work that ends at the latest after a time, and when a longer-lived signal aborts.

/** Not AbortSignal.any: on Node 20 its dependents pile up on a long-lived signal. */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const stop = () => both.abort(signal.reason);
  const timer = setTimeout(() => both.abort(new DOMException('timed out', 'TimeoutError')), ms);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(both.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
