// How wide text is on a terminal. Plain ASCII needs no library, and the library costs more than the rest of a start.

export interface Measure {
  width(text: string): number;
  /** At most `columns` wide, with an ellipsis where something is missing. */
  truncate(text: string, columns: number): string;
}

const plain: Measure = {
  width: (text) => text.length,
  truncate: (text, columns) => (text.length > columns ? `${text.slice(0, columns - 1)}…` : text),
};

const isPlain = (text: string) => /^[\x20-\x7e]*$/.test(text);

/** What these cells need: wide characters and combining marks are left to string-width. */
export async function measureFor(rows: string[][]): Promise<Measure> {
  if (rows.every((cells) => cells.every(isPlain))) return plain;
  const [{ default: stringWidth }, { default: cliTruncate }] = await Promise.all([
    import('string-width'),
    import('cli-truncate'),
  ]);
  return {
    width: (text) => (isPlain(text) ? text.length : stringWidth(text)),
    truncate: (text, columns) => (isPlain(text) ? plain.truncate(text, columns) : cliTruncate(text, columns)),
  };
}
