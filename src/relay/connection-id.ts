// Names for connections that, unlike an address, are never seen again: the process's own part, and a number.
import { randomBytes } from 'node:crypto';

let run = '';
let count = 0;

export function connectionId(): string {
  run ||= randomBytes(6).toString('base64url');
  count += 1;
  return `${run}-${count}`;
}
