// Whose a process is: its token's user by name, and whether a token is elevated.
import { advapi32, kernel32, utf16, win } from '../../ffi/index.ts';

/** Longer than MAX_SID_SIZE (68 bytes) with its header. */
const tokenUserSize = 128;
const nameSize = 512;

/** `DOMAIN\name`, or null where the token may not be read or the account is gone. */
export function userOf(process: number): string | null {
  return tokenUser(process, accountName);
}

/** `use` gets the SID where it lies in memory, and only as long as it runs. */
export function tokenUser<Result>(process: number, use: (sid: bigint) => Result): Result | null {
  return withToken(process, (token) => {
    const user = new Uint8Array(tokenUserSize);
    const used = new Uint8Array(4);
    if (advapi32.GetTokenInformation(token, win.TokenUser, user, user.length, used) === 0) return null;
    return use(new DataView(user.buffer).getBigUint64(0, true));
  });
}

export function isElevated(): boolean {
  const elevated = withToken(kernel32.GetCurrentProcess(), (token) => {
    const value = new Uint8Array(4);
    const used = new Uint8Array(4);
    const done = advapi32.GetTokenInformation(token, win.TokenElevation, value, value.length, used);
    return done !== 0 && new DataView(value.buffer).getUint32(0, true) !== 0;
  });
  return elevated ?? false;
}

function withToken<Result>(process: number, use: (token: number) => Result): Result | null {
  const handle = new Uint8Array(8);
  if (advapi32.OpenProcessToken(process, win.TOKEN_QUERY, handle) === 0) return null;
  const token = Number(new DataView(handle.buffer).getBigInt64(0, true));
  try {
    return use(token);
  } finally {
    kernel32.CloseHandle(token);
  }
}

/** Null where nobody has this SID. */
export function accountName(sid: bigint): string | null {
  const name = new Uint8Array(nameSize * 2);
  const domain = new Uint8Array(nameSize * 2);
  const lengths = new Uint32Array([nameSize, nameSize]);
  const nameLength = new Uint8Array(lengths.buffer, 0, 4);
  const domainLength = new Uint8Array(lengths.buffer, 4, 4);
  const use = new Uint8Array(4);
  if (advapi32.LookupAccountSidW(null, sid, name, nameLength, domain, domainLength, use) === 0) return null;
  const [nameUnits, domainUnits] = lengths as unknown as [number, number];
  const text = utf16(name, nameUnits);
  return domainUnits === 0 ? text : `${utf16(domain, domainUnits)}\\${text}`;
}
