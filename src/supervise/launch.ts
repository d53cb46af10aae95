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
 * What systemd told reeve itself (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)): a child that believed it
 * would report readiness in reeve's place, or take descriptors that it does not have.
 */
const meantForReeve = /^(?:NOTIFY|LISTEN|WATCHDOG)_/;

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

/**
 * A shell sets the limit for itself and then becomes the program: nothing of the program runs without it, which a
 * prlimit(2) from outside could not promise.
 */
export function withLimits(launch: Launch, { files }: ServiceConfig['limits']): Launch {
  if (files === undefined) return launch;
  const script = 'ulimit -n "$0" && exec "$@"';
  return {
    ...launch,
    program: '/bin/sh',
    args: ['-c', script, String(files), launch.program, ...launch.args],
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
