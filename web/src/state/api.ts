// Requests to the daemon: problem documents become errors, and what changes things carries the session's proof.
import { signal } from '@preact/signals';

/** Why the daemon refused, in its own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly hint: string | null;

  constructor(status: number, detail: string, hint: string | null) {
    super(detail);
    this.status = status;
    this.hint = hint;
  }
}

const proofKey = 'reeve.proof';
export const signedIn = signal(false);
export const tokenFile = signal('');
/** Set where an action needs a sign-in first. */
export const wantsSignIn = signal(false);

export async function ask<T>(path: string, body?: object): Promise<T> {
  const proof = localStorage.getItem(proofKey);
  const response = await fetch(path, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(proof && { 'x-reeve-proof': proof }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { detail?: string; hint?: string | null };
  if (response.ok) return answer;
  if (response.status === 401) signedIn.value = false;
  throw new Refusal(response.status, answer.detail ?? response.statusText, answer.hint ?? null);
}

export async function readSession(): Promise<void> {
  const session = await ask<{ signedIn: boolean; tokenFile: string }>('/api/v1/session').catch(() => null);
  if (!session) return;
  signedIn.value = session.signedIn;
  tokenFile.value = session.tokenFile;
}

export async function signIn(token: string): Promise<void> {
  const { proof } = await ask<{ proof: string }>('/api/v1/session', { token });
  localStorage.setItem(proofKey, proof);
  signedIn.value = true;
  wantsSignIn.value = false;
}

export async function signOut(): Promise<void> {
  await ask('/api/v1/session/end', {}).catch(() => null);
  localStorage.removeItem(proofKey);
  signedIn.value = false;
}
