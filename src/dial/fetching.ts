// fetch through a dialler: by path alone, with an answer that stands in where none can be had.
import type { Dispatcher, RequestInit, Response } from 'undici';
import { errorMessage, isReeveError, ReeveError } from '../core/errors.ts';
import type { Answers } from './fallback.ts';
import type { Rules } from './rules.ts';

export interface KeptResponse {
  status: number;
  headers: [string, string][];
  body: ArrayBuffer;
}

export interface FetchingOptions {
  origin: string;
  dispatcher: Dispatcher;
  rules: Rules;
  answers: Answers<KeptResponse>;
  now: () => number;
  otherwise: ((path: string) => Response | Promise<Response>) | undefined;
  fellBack: (key: string, from: 'cache' | 'default', reason: string) => void;
}

/** On an answer that stands in: `cache` or `default`. */
const mark = 'x-reeve-fallback';

/** @throws ReeveError where no target answered and nothing stands in; the signal's own reason when it aborts. */
export async function fetchThrough(
  path: string,
  init: RequestInit,
  { origin, dispatcher, rules, answers, now, otherwise, fellBack }: FetchingOptions,
): Promise<Response> {
  const { fetch, Response } = await import('undici');
  const url = new URL(path, origin);
  if (url.origin !== origin)
    throw new ReeveError('usage', `'${path}' leads elsewhere: a path such as /users is accepted`);
  const key = url.pathname + url.search;
  const isPlain = (init.method ?? 'GET').toUpperCase() === 'GET';
  const standIn = async (reason: string): Promise<Response | null> => {
    const kept = isPlain ? answers.get(key, now()) : null;
    if (kept) {
      const { status, headers, body } = kept.value;
      fellBack(key, 'cache', reason);
      return new Response(body, { status, headers: [...headers, [mark, 'cache']] });
    }
    if (!otherwise) return null;
    const made = await otherwise(key);
    fellBack(key, 'default', reason);
    return made;
  };
  let response: Response;
  try {
    response = await fetch(url, { ...init, dispatcher });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    // fetch hides what went wrong in the cause of a TypeError.
    const cause = (error as Error).cause;
    const why = isReeveError(cause) ? cause : error;
    const instead = isReeveError(cause) ? await standIn(errorMessage(why)) : null;
    if (instead) return instead;
    throw why;
  }
  if (rules.retry.statuses.includes(response.status)) {
    const instead = await standIn(`status ${response.status}`);
    if (!instead) return response;
    await response.body?.cancel();
    return instead;
  }
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  if (!isPlain || response.status !== 200 || !answers.keeps || !(length <= rules.fallback.longest))
    return response;
  const body = await response.arrayBuffer();
  const headers = [...response.headers].filter(([name]) => !hopByHop.has(name));
  answers.put(key, { status: response.status, headers, body }, now());
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

/** What was true of the bytes on the line alone: the body is decoded, and its length another. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-encoding',
  'content-length',
]);
