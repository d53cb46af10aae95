// What is asked for again and again while a view is open, with an honest word when it cannot be had.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from '../state/api.ts';
import { connection } from '../state/live.ts';

export interface Fetched<T> {
  data: T | null;
  error: string | null;
}

/** Asks at once, every `every` milliseconds (0: once) and when `again` changes, but not while the daemon is away or nobody looks. */
export function useFetched<T>(path: string | null, every = 0, again = 0): Signal<Fetched<T>> {
  const fetched = useSignal<Fetched<T>>({ data: null, error: null });
  useEffect(() => {
    if (path === null) return;
    let isGone = false;
    fetched.value = { data: null, error: null };
    const read = async () => {
      if (connection.peek() === 'lost' || document.hidden) return;
      try {
        const data = await ask<T>(path);
        if (!isGone) fetched.value = { data, error: null };
      } catch (error) {
        if (!isGone) fetched.value = { data: fetched.peek().data, error: (error as Error).message };
      }
    };
    void read();
    const timer = every > 0 ? setInterval(read, every) : undefined;
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [path, every, again]);
  return fetched;
}
