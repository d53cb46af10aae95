// What the commands that talk to the running daemon share: the options that find it, and the connection.
import type { Command } from 'commander';
import type { Control } from '../../daemon/index.ts';
import { type Common, command } from '../define.ts';
import type { Io } from '../io.ts';

export interface ControlOptions extends Common {
  config?: string;
  control?: string;
  tokenFile?: string;
}

export function controlCommand(usage: string, description: string, examples: string): Command {
  return command(usage, description, examples)
    .option(
      '-c, --config <file>',
      'configuration of the daemon, to find its address; ./reeve.yaml by default',
    )
    .option('--control <host:port>', 'address of the control API')
    .option('--token-file <file>', 'file with its token');
}

/** To the running daemon. */
export async function connect(io: Io, options: ControlOptions): Promise<Control> {
  const { connectControl } = await import('../../daemon/index.ts');
  return connectControl({
    env: io.env,
    ...(options.config ? { configFile: options.config } : {}),
    ...(options.control ? { control: options.control } : {}),
    ...(options.tokenFile ? { tokenFile: options.tokenFile } : {}),
  });
}
