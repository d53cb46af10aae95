// Certificates and keys of the listeners: read before anything changes, read again when a file has changed, watched for their end.
import path from 'node:path';
import type { ListenerConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { errorMessage, isReeveError, ReeveError } from '../core/errors.ts';
import { type Credentials, loadCredentials, loadTargetTls, type TargetTls } from '../listen/index.ts';
import { createExpiryWatch } from './expiry.ts';
import { lookOf } from './file-watch.ts';
import type { Prepared } from './prepared.ts';
import type { CertificateStatus } from './status.ts';

export interface CertificateRoom {
  /** Reads what the configuration names. @throws ReeveError `config` that says which file is wrong, and how. */
  prepare(configs: Record<string, ListenerConfig>): Promise<Prepared>;
  /** Reads all files anew, for a reload of a configuration that has not changed. @throws like `prepare`. */
  reread(): Promise<void>;
  of(listener: string): Secrets;
  status(listener: string): CertificateStatus[];
  close(): void;
}

/** What plans of a listener need; the same objects until a file has changed. */
export interface Secrets {
  credentials: Credentials | null;
  targetTls: TargetTls | null;
}

export interface CertificateParts {
  context: Context;
  /** What files are relative to. */
  folder: string;
  /** The listener has other secrets from now on. */
  changed(listener: string): void;
  /** Milliseconds between two looks at the files. */
  lookEvery?: number;
}

interface Kept extends Secrets {
  config: ListenerConfig;
  files: string[];
  /** What the files looked like when they were read, or last tried. */
  seen: string;
  /** What they look like now, where that is news: taken up once it stays, since two files change one after the other. */
  next: string | null;
}

const none: Secrets = { credentials: null, targetTls: null };

export function createCertificateRoom(parts: CertificateParts): CertificateRoom {
  const { context, folder, changed, lookEvery = 2000 } = parts;
  const at = (file: string) => path.resolve(folder, file);
  const kept = new Map<string, Kept>();
  const expiry = createExpiryWatch(context);
  let looking = false;
  const timer = setInterval(() => void look(), lookEvery).unref();

  const load = async (name: string, config: ListenerConfig): Promise<Kept> => {
    const files = filesOf(config).map(at);
    const seen = await lookOf(files);
    const { tls, balance } = config;
    try {
      const credentials = tls?.mode === 'terminate' ? await loadCredentials(tls, at) : null;
      const targetTls = balance?.tls ? await loadTargetTls(balance.tls, at) : null;
      return { config, files, seen, next: null, credentials, targetTls };
    } catch (error) {
      throw new ReeveError('config', `listener ${name}: ${errorMessage(error)}`, {
        cause: error,
        ...(isReeveError(error) && error.hint !== null && { hint: error.hint }),
      });
    }
  };
  const tell = (name: string, message: string, warning: boolean) =>
    context.emit({ kind: 'certificate', subject: `listener/${name}`, message, detail: { warning } });
  const replace = (name: string, loaded: Kept) => {
    kept.set(name, loaded);
    changed(name);
    tell(name, 'certificates read anew: they count for connections from now on', false);
  };

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    for (const [name, one] of kept) {
      expiry.check(name, one.credentials?.certificates ?? []);
      if (one.files.length === 0) continue;
      const now = await lookOf(one.files);
      if (kept.get(name) !== one) continue;
      const stays = now === one.next;
      one.next = now === one.seen ? null : now;
      if (one.next === null || !stays) continue;
      one.seen = now;
      one.next = null;
      try {
        const loaded = await load(name, one.config);
        if (kept.get(name) === one) replace(name, loaded);
      } catch (error) {
        tell(name, `changed certificates are not taken up: ${errorMessage(error)}`, true);
      }
    }
    looking = false;
  }

  return {
    async prepare(configs) {
      const loaded = new Map<string, Kept>();
      for (const [name, config] of Object.entries(configs)) loaded.set(name, await load(name, config));
      return {
        abandon: async () => {},
        commit() {
          kept.clear();
          for (const [name, one] of loaded) {
            kept.set(name, one);
            expiry.check(name, one.credentials?.certificates ?? []);
          }
          return { retire: async () => {} };
        },
      };
    },
    async reread() {
      const loaded: [string, Kept][] = [];
      for (const [name, { files, config }] of kept) {
        if (files.length > 0) loaded.push([name, await load(name, config)]);
      }
      for (const [name, one] of loaded) replace(name, one);
    },
    of(listener) {
      const { credentials, targetTls } = kept.get(listener) ?? none;
      return { credentials, targetTls };
    },
    status: (listener) =>
      (kept.get(listener)?.credentials?.certificates ?? []).map(
        ({ serverName, file, subject, issuer, names, expiresAt }) => ({
          serverName,
          file,
          subject,
          issuer,
          names,
          expiresAt: new Date(expiresAt).toISOString(),
          expiresIn: Math.floor((expiresAt - context.clock.wall()) / 1000),
        }),
      ),
    close: () => clearInterval(timer),
  };
}

function filesOf({ tls, balance }: ListenerConfig): string[] {
  const entries = tls?.mode === 'terminate' ? [tls, ...Object.values(tls.sni)] : [];
  const named = [
    ...entries.flatMap(({ cert, key, passphraseFile }) => [cert, key, passphraseFile]),
    tls?.clientCa,
    ...(balance?.tls ? [balance.tls.ca, balance.tls.cert, balance.tls.key] : []),
  ];
  return named.filter((file) => file !== undefined);
}
