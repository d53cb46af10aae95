// What exactly is started: arguments, environment and folder of one instance. Pure.
import path from 'node:path';
import type { ServiceConfig } from '../config/index.ts';

export interface Launch {
  program: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Of another user; its own where absent. */
  uid?: number;
  gid?: number;
  /** Its arguments are quoted already. */
  verbatim?: boolean;
}

/** In the order of the configuration: the first is PORT. */
export type Ports = Readonly<Record<string, number>>;

/**
 * What systemd told reeve itself (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5)): a child that
 * believed it would report readiness in reeve's place, take descriptors that it does not have, or write for a journal
 * that does not read it. And how reeve itself is to run: a second one is no part of the first.
 */
const meantForReeve =
  /^(?:(?:NOTIFY|LISTEN|WATCHDOG)_.*|JOURNAL_STREAM|INVOCATION_ID|MAINPID|MANAGERPID|SYSTEMD_EXEC_PID|FDSTORE|REEVE_(?:LOG_LEVEL|DRAIN_DELAY|SUCCEEDS|KEEPS))$/;

export function launchOf(
  config: Pick<ServiceConfig, 'command' | 'cwd' | 'env'>,
  ports: Ports,
  base: NodeJS.ProcessEnv,
  folder: string,
): Launch {
  const [program, ...args] = config.command;
  return {
    program: program!,
    args: args.map((argument) => withPorts(argument, ports)),
    cwd: path.resolve(folder, config.cwd ?? '.'),
    env: { ...inherited(base), ...config.env, ...portVariables(ports) },
  };
}

function inherited(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !meantForReeve.test(name)));
}

function portVariables(ports: Ports): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, port] of Object.entries(ports)) {
    variables.PORT ??= String(port);
    variables[`PORT_${name.toUpperCase().replace(/[^A-Z0-9_]/g, '_')}`] = String(port);
  }
  return variables;
}

/** `{port}` is the first port, `{port.NAME}` a named one; a name that does not exist stays as it is. */
function withPorts(argument: string, ports: Ports): string {
  return argument.replace(/\{port(?:\.([A-Za-z0-9_-]+))?\}/g, (text, name?: string) => {
    const port = name === undefined ? Object.values(ports)[0] : ports[name];
    return port === undefined ? text : String(port);
  });
}
