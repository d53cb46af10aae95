// Warns of certificates that are about to end: once a day from fourteen days before.
import type { Context } from '../core/context.ts';
import type { Certificate } from '../listen/index.ts';

const day = 86_400_000;
const warnFrom = 14 * day;

export interface ExpiryWatch {
  check(listener: string, certificates: Certificate[]): void;
}

export function createExpiryWatch({ clock, emit }: Context): ExpiryWatch {
  const told = new Map<string, { expiresAt: number; at: number }>();
  return {
    check(listener, certificates) {
      const now = clock.wall();
      for (const { serverName, file, expiresAt } of certificates) {
        const left = expiresAt - now;
        const key = `${listener} ${serverName}`;
        const last = told.get(key);
        if (left >= warnFrom) told.delete(key);
        if (left >= warnFrom || (last?.expiresAt === expiresAt && now - last.at < day)) continue;
        told.set(key, { expiresAt, at: now });
        const when = left < 0 ? 'has expired' : `expires in ${Math.floor(left / day)} d`;
        emit({
          kind: 'certificate',
          subject: `listener/${listener}`,
          message: `the certificate ${file} ${when}`,
          detail: { warning: true, serverName, expiresAt: new Date(expiresAt).toISOString() },
        });
      }
    },
  };
}
