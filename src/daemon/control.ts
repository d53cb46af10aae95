// Opens the control API with its token, and says who stands in the way where it cannot.

import { closeSync } from 'node:fs';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode, ReeveError } from '../core/errors.ts';
import { type Api, openApi } from './api.ts';
import type { ApiParts } from './api-parts.ts';
import { explainBind } from './bind-tools.ts';
import type { Inheritance } from './succession/index.ts';
import { ensureToken } from './token.ts';

export type ControlParts = Omit<ApiParts, 'token'>;

/** @throws ReeveError `conflict` or `privilege` where the address cannot be bound. */
export async function openControl(parts: ControlParts): Promise<Api> {
  const token = await ensureToken(parts.tokenFile, parts.system.privacy);
  const { host, port, system } = parts;
  try {
    return await openApi({ ...parts, token });
  } catch (error) {
    const code = errorCode(error);
    if (code === null || !['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL'].includes(code)) throw error;
    const cause = await explainBind(system, { protocol: 'tcp', host, port });
    throw new ReeveError(
      code === 'EACCES' ? 'privilege' : 'conflict',
      `the control API cannot listen on ${formatHostPort(host, port)}: ${cause}`,
      { hint: 'Set control.listen to another port, or see reeve why', cause: error },
    );
  }
}

/** The one of the daemon before, where this one is to have the same address. */
export function controlSocket(
  inheritance: Inheritance | null | undefined,
  asked: string,
): number | undefined {
  if (!inheritance) return undefined;
  if (inheritance.estate.control.asked === asked) return inheritance.controlDescriptor;
  closeSync(inheritance.controlDescriptor);
  return undefined;
}
