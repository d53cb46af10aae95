// How every command is defined: its words, its examples, and an action that returns an exit code.
import { Command, InvalidArgumentError, Option } from 'commander';
import { errorMessage, isReeveError } from '../core/errors.ts';
import type { Io } from './io.ts';

/** Options of every command. */
export interface Common {
  json?: boolean;
  quiet?: boolean;
}

export type Define = (io: Io, program: Command) => Command;

export function command(usage: string, description: string, examples: string): Command {
  const indented = examples.trim().replace(/^/gm, '  ');
  return new Command(usage.split(' ')[0])
    .description(description)
    .addHelpText('after', `\nExamples:\n${indented}`);
}

/** Runs `work` with the command's operands and all its options, and keeps the exit code that it returns. */
export function action<Options extends object>(
  io: Io,
  work: (operands: string[], options: Options & Common) => Promise<number>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const self = args.at(-1) as Command;
    io.exitCode = await work(self.processedArgs.flat() as string[], self.optsWithGlobals<Options & Common>());
  };
}

/** Lets commander report an option's value in the words of core's own parsers. */
export function option<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      const hint = isReeveError(error) && error.hint ? ` (${error.hint})` : '';
      throw new InvalidArgumentError(`${errorMessage(error)}${hint}`);
    }
  };
}

/** An option whose default is shown as a person would write it. */
export function setting<T>(
  flags: string,
  description: string,
  parse: (text: string) => T,
  text: string,
): Option {
  return new Option(flags, description).argParser(option(parse)).default(parse(text), text);
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return option((text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  });
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
