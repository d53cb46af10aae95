// What a listener proves itself with, and whom it trusts: certificates, keys and authorities, read and ready for use.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { ListenerConfig, TargetTlsConfig } from '../config/index.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';

type Terms = NonNullable<ListenerConfig['tls']>;

/** Everything that a terminating listener needs. Made anew, and never changed, when a file has changed. */
export interface Credentials {
  options: SecureContextOptions;
  requestCert: boolean;
  rejectUnauthorized: boolean;
  alpn: string[] | undefined;
  /** By server name, where that has a certificate of its own. */
  contexts: ReadonlyMap<string, SecureContext>;
  certificates: Certificate[];
}

/** What is told about a certificate. */
export interface Certificate {
  /** The server name that it is for; null for the one that everybody else gets. */
  serverName: string | null;
  file: string;
  subject: string;
  issuer: string;
  names: string[];
  /** Milliseconds since 1970. */
  notBefore: number;
  expiresAt: number;
}

/** How targets are spoken to. */
export interface TargetTls {
  context: SecureContext;
  servername: string | undefined;
  verify: boolean;
}

const longestFile = 1024 * 1024;

/** `at` makes a path absolute. @throws ReeveError `config` that names the file and what is wrong with it. */
export async function loadCredentials(terms: Terms, at: (file: string) => string): Promise<Credentials> {
  const { clientCa, clientAuth, minVersion, ciphers, alpn, sni } = terms;
  const ca = clientCa === undefined ? undefined : await readAuthorities(at(clientCa));
  const common: SecureContextOptions = {
    minVersion,
    ...(ca && { ca }),
    ...(ciphers !== undefined && { ciphers }),
  };
  const identity = await loadIdentity(terms, null, at);
  const options = { ...common, ...identity.options };
  // Says what is wrong now rather than with the first connection.
  contextOf(options, identity.certificate.file);
  const contexts = new Map<string, SecureContext>();
  const certificates = [identity.certificate];
  for (const [name, entry] of Object.entries(sni)) {
    if (entry.cert === undefined) continue;
    const own = await loadIdentity(entry, name, at);
    contexts.set(name, contextOf({ ...common, ...own.options }, own.certificate.file));
    certificates.push(own.certificate);
  }
  const auth = clientAuth ?? (ca ? 'require' : 'none');
  return {
    options,
    requestCert: auth !== 'none',
    rejectUnauthorized: auth === 'require',
    alpn,
    contexts,
    certificates,
  };
}

/** @throws ReeveError `config`. */
export async function loadTargetTls(
  { ca, cert, key, servername, verify }: TargetTlsConfig,
  at: (file: string) => string,
): Promise<TargetTls> {
  const own = cert === undefined ? null : await loadIdentity({ cert, key }, null, at);
  const authorities = ca === undefined ? null : await readAuthorities(at(ca));
  const context = contextOf(
    { ...own?.options, ...(authorities && { ca: authorities }), minVersion: 'TLSv1.2' },
    own?.certificate.file ?? 'balance.tls',
  );
  return { context, servername, verify };
}

interface Files {
  cert?: string | undefined;
  key?: string | undefined;
  passphraseFile?: string | undefined;
}

async function loadIdentity(files: Files, serverName: string | null, at: (file: string) => string) {
  const [certFile, keyFile] = [at(files.cert!), at(files.key!)];
  const cert = await readFile(certFile);
  const key = await readFile(keyFile);
  const passphrase =
    files.passphraseFile === undefined
      ? undefined
      : (await readFile(at(files.passphraseFile))).toString('utf8').replace(/\r?\n$/, '');
  const leaf = parse(() => new X509Certificate(cert), certFile, 'no certificate in PEM');
  const privateKey = parse(
    () => createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) }),
    keyFile,
    passphrase === undefined
      ? 'no private key that can be read without a passphrase'
      : 'no private key for this passphrase',
  );
  if (!leaf.checkPrivateKey(privateKey)) throw bad(keyFile, `not the key of ${certFile}`);
  return {
    options: { cert, key, ...(passphrase !== undefined && { passphrase }) },
    certificate: describe(leaf, serverName, certFile),
  };
}

function describe(leaf: X509Certificate, serverName: string | null, file: string): Certificate {
  return {
    serverName,
    file,
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    names: (leaf.subjectAltName ?? '').split(', ').filter((name) => name !== ''),
    notBefore: Date.parse(leaf.validFrom),
    expiresAt: Date.parse(leaf.validTo),
  };
}

const oneLine = (name: string | undefined) => (name ?? '').split('\n').join(', ');

async function readAuthorities(file: string): Promise<Buffer> {
  const pem = await readFile(file);
  parse(() => new X509Certificate(pem), file, 'no certificate in PEM');
  return pem;
}

function contextOf(options: SecureContextOptions, file: string): SecureContext {
  return parse(() => createSecureContext(options), file, 'not usable');
}

function parse<Value>(make: () => Value, file: string, what: string): Value {
  try {
    return make();
  } catch (cause) {
    throw bad(file, `${what} (${errorMessage(cause)})`, cause);
  }
}

function bad(file: string, what: string, cause?: unknown): ReeveError {
  return new ReeveError('config', `${file} is ${what}`, {
    hint: 'See what is in it: openssl x509 -noout -subject -dates -in CERT, openssl pkey -noout -text -in KEY',
    cause,
  });
}

async function readFile(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(longestFile + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead <= longestFile) return Buffer.from(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new ReeveError('config', `${file} cannot be read: ${errorCode(cause) ?? errorMessage(cause)}`, {
      cause,
    });
  }
  throw new ReeveError('config', `${file} is longer than ${longestFile} bytes: is it the right file?`);
}
