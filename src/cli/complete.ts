// What may follow the words that are typed: commands, options and their values, and which of what exists now. Pure.
import type { Command, Option } from 'commander';
import type { Kind, Value } from './values.ts';
import { valuesOf } from './values.ts';

/** What the shell completes by itself where there are no words. */
export type Rest = 'files' | 'command' | 'nothing';

export interface Following {
  words: Value[];
  /** What is asked of the machine, the lease book or the daemon in addition. */
  ask: Kind | null;
  rest: Rest;
}

const only = (words: Value[], rest: Rest = 'nothing'): Following => ({ words, ask: null, rest });

/** @param words all that is typed after `reeve`; the last one is still being typed, and may be empty. */
export function following(program: Command, words: string[]): Following {
  const typed = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  let command = program;
  let operands = 0;
  let helping = false;
  for (let i = 0; i < typed.length; i++) {
    const word = typed[i]!;
    if (word === '--') return only([], 'command');
    if (word.startsWith('-')) {
      const option = word.includes('=') ? undefined : optionOf(word, command, program);
      if (!option?.required) continue;
      if (i === typed.length - 1) return valuesOfOption(option);
      i++;
      continue;
    }
    const inner = operands === 0 ? shown(command).find((each) => each.name() === word) : undefined;
    if (inner) command = inner;
    else if (word === 'help' && command.commands.length > 0) helping = true;
    else operands++;
  }
  if (current.startsWith('-')) return helping ? only([]) : options(command, program, current);
  if (command.commands.length > 0) return operands > 0 ? only([]) : only(commands(command, helping));
  if (helping) return only([]);
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1);
  if (argument?.argChoices) return only(argument.argChoices.map(withoutNote));
  return {
    words: [],
    ask: command.parent === program ? (valuesOf[command.name()] ?? null) : null,
    rest: 'nothing',
  };
}

const withoutNote = (text: string): Value => ({ text, note: '' });

function shown(command: Command): Command[] {
  return command.commands.filter((each) => !each.name().startsWith('__'));
}

function commands(command: Command, helping: boolean): Value[] {
  const words = shown(command).map((each) => ({ text: each.name(), note: each.description() }));
  return helping ? words : [...words, { text: 'help', note: 'print help for a command' }];
}

function optionOf(word: string, ...commands: Command[]): Option | undefined {
  return commands.flatMap((each) => each.options).find(({ long, short }) => long === word || short === word);
}

/** `--config=` has its value in the same word; words with what stands before it are what the shell compares. */
function options(command: Command, program: Command, current: string): Following {
  const name = /^(--[^=]+)=/.exec(current)?.[1];
  if (name) {
    const option = optionOf(name, command, program);
    if (!option?.required) return only([]);
    const { words, rest } = valuesOfOption(option);
    return only(
      words.map(({ text, note }) => ({ text: `${name}=${text}`, note })),
      rest,
    );
  }
  const all = [...new Set([...command.options, ...program.options])];
  return only([
    ...all.flatMap(({ long, description }) => (long ? [{ text: long, note: description }] : [])),
    { text: '--help', note: 'print help with examples' },
  ]);
}

/** Files where the placeholder says so: `-c, --config <file>`. */
function valuesOfOption({ argChoices, flags }: Option): Following {
  return argChoices
    ? only(argChoices.map(withoutNote))
    : only([], /<(file|folder)>/.test(flags) ? 'files' : 'nothing');
}
