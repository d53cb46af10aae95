// Text that came from elsewhere, made safe to print.

/**
 * Removes what could steer a terminal or forge lines: C0 and C1 controls, DEL, and the Unicode marks that
 * reorder or hide text (bidirectional controls, zero-width characters, line separators). Names of processes are hostile input.
 */
export function printable(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, ' ')
    .trim();
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
