// Command lines of Windows: one text, of which each program makes words by the rules of the C runtime. Pure.

/**
 * The words of a command line as the C runtime has them ("Parsing C++ command-line arguments"): 2n backslashes before
 * a quote are n and the quote counts, 2n+1 are n and a plain quote; two quotes inside quotes are one.
 */
export function splitCommandLine(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let begun = false;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') {
      let slashes = 1;
      while (text[i + slashes] === '\\') slashes += 1;
      const beforeQuote = text[i + slashes] === '"';
      word += '\\'.repeat(beforeQuote ? slashes >> 1 : slashes);
      i += slashes - 1;
      if (beforeQuote && slashes % 2 === 1) {
        word += '"';
        i += 1;
      }
      begun = true;
    } else if (char === '"') {
      if (quoted && text[i + 1] === '"') {
        word += '"';
        i += 1;
      } else quoted = !quoted;
      begun = true;
    } else if (!quoted && (char === ' ' || char === '\t')) {
      if (begun) words.push(word);
      word = '';
      begun = false;
    } else {
      word += char;
      begun = true;
    }
  }
  if (begun) words.push(word);
  return words;
}

/** One text that splits into exactly these words again. */
export function joinCommandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  // Backslashes count only before a quote: those inside, and the one that ends the word.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
