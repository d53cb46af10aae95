// Certificates for tests: an authority made by openssl in a folder of its own, and what it signs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { program } from './parts.ts';

export interface KeyPair {
  cert: string;
  key: string;
}

export interface Authority {
  folder: string;
  /** Its own certificate. */
  ca: string;
  /** For these names or addresses; the files are named after `file`. */
  issue(file: string, names: string[], days?: number): KeyPair;
  remove(): void;
}

export function createAuthority(name = 'Test authority'): Authority {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-ca-'));
  const at = (file: string) => path.join(folder, file);
  const openssl = (...args: string[]) =>
    execFileSync(program('openssl')!, args, { cwd: folder, stdio: 'pipe' });
  const newKey = (key: string) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key);
  newKey('ca.key');
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', `/CN=${name}`, '-days', '30', '-out', 'ca.pem');
  return {
    folder,
    ca: at('ca.pem'),
    issue(file, names, days = 30) {
      const [key, cert, extensions] = [`${file}.key`, `${file}.pem`, `${file}.ext`];
      newKey(key);
      openssl('req', '-new', '-key', key, '-subj', `/CN=${names[0]}`, '-out', `${file}.csr`);
      const kinds = names.map((each) => (/^[\d.]+$|:/.test(each) ? `IP:${each}` : `DNS:${each}`));
      writeFileSync(at(extensions), `subjectAltName=${kinds.join(',')}\n`);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-in', `${file}.csr`, ...signed, '-days', String(days), '-out', cert);
      return { cert: at(cert), key: at(key) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
