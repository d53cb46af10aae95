// What a terminal sends for each key, as names.

const sequences: Record<string, string> = {
  ...{ '\x1b[A': 'up', '\x1b[B': 'down', '\x1bOA': 'up', '\x1bOB': 'down' },
  ...{ '\x1b[5~': 'page-up', '\x1b[6~': 'page-down' },
  ...{
    '\x1b[H': 'home',
    '\x1b[F': 'end',
    '\x1b[1~': 'home',
    '\x1b[4~': 'end',
    '\x1bOH': 'home',
    '\x1bOF': 'end',
  },
  ...{ '\x1b': 'escape', '\r': 'enter', '\n': 'enter', '\t': 'tab', '\x7f': 'backspace', '\b': 'backspace' },
  ...{ '\x03': 'ctrl-c', '\x04': 'ctrl-c' },
};

/** CSI and SS3 sequences (ECMA-48, 5.4), a lone escape, or one character. */
const one = /\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b|[^\x1b]/gu;

/** A chunk may hold several keys, as when a key repeats; what is not known is left out. */
export function keysIn(chunk: string): string[] {
  return (chunk.match(one) ?? []).flatMap((text) => {
    const name = sequences[text];
    if (name) return [name];
    return /^[\x00-\x1f\x7f-\x9f]/.test(text) ? [] : [text];
  });
}
