// Posts a record to a URL, signed where there is a secret; tries again when that may help.
import { createHmac, randomUUID } from 'node:crypto';
import type { ActionConfig } from '../config/index.ts';
import { backoffDelay } from '../core/backoff.ts';
import type { Context } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { sleep } from '../core/time.ts';
import { withDeadline } from './deadline.ts';

export interface Delivery {
  ok: boolean;
  tries: number;
  /** For a person; never the URL's path, which may be a secret. */
  words: string;
}

/** Milliseconds. */
const between = { min: 1000, max: 60_000 };
const usualTimeout = 10_000;
const usualRetries = 5;

/** Never rejects but by the signal. */
export async function postWebhook(
  action: ActionConfig & { webhook: string },
  record: object,
  { random }: Pick<Context, 'random'>,
  signal: AbortSignal,
): Promise<Delivery> {
  const { retries = usualRetries, timeout = usualTimeout } = action;
  const body = JSON.stringify(record);
  // The same for every try, so that the other side may take it once.
  const id = randomUUID();
  for (let tries = 1; ; tries++) {
    const found = await withDeadline(timeout, signal, (both) => post(action, body, id, both));
    if (found.ok || !found.again || tries > retries) return { ok: found.ok, words: found.words, tries };
    await sleep(backoffDelay(between, tries - 1, random), signal);
  }
}

async function post(
  { webhook, headers, secret }: ActionConfig & { webhook: string },
  body: string,
  id: string,
  signal: AbortSignal,
): Promise<{ ok: boolean; again: boolean; words: string }> {
  const { host } = new URL(webhook);
  try {
    const response = await fetch(webhook, {
      method: 'POST',
      // A record that was meant for one place goes to no other.
      redirect: 'manual',
      signal,
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'portreeve',
        'x-portreeve-delivery': id,
        ...(secret !== undefined && { 'x-portreeve-signature': `sha256=${signatureOf(body, secret)}` }),
        ...headers,
      },
    });
    await response.body?.cancel();
    const { status, ok } = response;
    const again = status >= 500 || status === 429 || status === 408;
    return { ok, again, words: `${host} answered ${status}` };
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    return { ok: false, again: true, words: `${host}: ${printable(errorMessage(cause)).slice(0, 200)}` };
  }
}

export function signatureOf(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}
