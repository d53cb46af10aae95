// Each line is a command, and each command has one line for an answer.
import type { FrameHandler } from 'portreeve';

const answers: Record<string, (words: string[], from: string) => string> = {
  upper: (words) => words.join(' ').toUpperCase(),
  add: (words) => String(words.reduce((sum, word) => sum + Number(word), 0)),
  whoami: (_, from) => from,
};

const line: FrameHandler = (frame, { client }) => {
  const [command = '', ...words] = frame.toString('utf8').trim().split(/\s+/);
  const answer = answers[command];
  return `${answer ? answer(words, client) : `unknown command: there are ${Object.keys(answers).join(', ')}`}\n`;
};

export default line;
