// Which of the configured names a server name (SNI) belongs to: itself, or a wildcard for its first label. No I/O.

export function matchName<Value>(name: string | null, names: ReadonlyMap<string, Value>): string | null {
  if (name === null) return null;
  const plain = name.toLowerCase();
  if (names.has(plain)) return plain;
  const dot = plain.indexOf('.');
  const wildcard = `*${plain.slice(dot)}`;
  return dot > 0 && names.has(wildcard) ? wildcard : null;
}
