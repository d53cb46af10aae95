// Winsock's error numbers, and the errno names that libuv (and so Node) gives the same errors.

/** From winerror.h: those that socket, setsockopt, bind and listen document. */
const numbers: Readonly<Record<string, number>> = {
  EINTR: 10004,
  EACCES: 10013,
  EFAULT: 10014,
  EINVAL: 10022,
  EMFILE: 10024,
  ENOTSOCK: 10038,
  EPROTONOSUPPORT: 10043,
  EOPNOTSUPP: 10045,
  EAFNOSUPPORT: 10047,
  EADDRINUSE: 10048,
  EADDRNOTAVAIL: 10049,
  ENETDOWN: 10050,
  ENOBUFS: 10055,
};
const codes = new Map(Object.entries(numbers).map(([code, number]) => [number, code]));

/** `EADDRINUSE` for 10048; `WSA10101` for one without such a name. */
export function errnoOfWsa(number: number): string {
  return codes.get(number) ?? `WSA${number}`;
}

/** `EACCES (WSAEACCES 10013)`: what Node prints, and what everybody else on Windows prints. */
export function withWsa(code: string): string {
  const number = numbers[code];
  return number === undefined ? code : `${code} (WSA${code} ${number})`;
}
