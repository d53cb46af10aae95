// Text that came from elsewhere, made safe to print.

const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/**
 * Removes what could steer a terminal or forge lines: C0 and C1 controls, DEL, and the Unicode marks that
 * reorder or hide text (bidirectional controls, zero-width characters, line separators, soft hyphens, tags).
 * Names of processes are hostile input.
 */
export function printable(text: string): string {
  return text.replace(hidden, ' ').trim();
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A command line without the folder of its program: what tells two of them apart comes after it. */
export function shortCommand(command: string): string {
  return command.replace(/^\/\S*\/(?=[^\s/])/, '');
}
