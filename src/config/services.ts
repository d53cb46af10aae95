// Schema of `services:`: what reeve runs.
import * as z from 'zod';
import { isEncoding } from '../core/code-page.ts';
import { targetCheckSchema } from './checks.ts';
import { backoff, duration, either, name, port, rate, size } from './fields.ts';
import { registerSchema } from './registry.ts';

const condition = z.enum(['healthy', 'started', 'finished']);

/** The short form, a list, means healthy. */
const dependsOn = either('a list of services, or a map of services to healthy, started or finished', [
  z.array(name).transform((names) => Object.fromEntries(names.map((each) => [each, 'healthy' as Condition]))),
  z.record(name, condition),
]);

const logsSchema = z.strictObject({
  echo: z.boolean().default(true).describe("also as lines of the daemon's own log"),
  encoding: z
    .string()
    .default('auto')
    .refine(
      (name) => name === 'auto' || isEncoding(name),
      'no such encoding: accepted are auto, a code page (cp850, cp1252, cp936), or a name such as windows-1252 or shift_jis',
    )
    .describe(
      'how lines are read that are not UTF-8, in which they are kept: a code page (cp850) or a name (windows-1252); `auto`: by the code page of consoles on Windows, elsewhere as UTF-8',
    ),
  rotate: z
    .strictObject({
      size: size('10MB').prefault('10MB').describe('a file that would grow beyond this is rotated'),
      keep: z.int().min(1).max(100).default(5).describe('how many rotated files stay'),
    })
    .prefault({})
    .describe('when the file of an instance is put aside'),
});

const limitsSchema = z.strictObject({
  files: z
    .int()
    .min(16)
    .max(1_048_576)
    .optional()
    .describe('open files; set by a shell (ulimit -n) that then becomes the command. Not on Windows'),
  memory: size('1GB')
    .optional()
    .describe(
      'data that each of its processes may have (ulimit -d): beyond it an allocation fails. Not on Windows',
    ),
  nice: z
    .int()
    .min(-20)
    .max(19)
    .optional()
    .describe('added to its priority for the processor: 19 goes last; below 0 needs root. Not on Windows'),
});

export const serviceSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('program and arguments; {port} and {port.NAME} are replaced'),
  cwd: z.string().min(1).optional().describe("working directory; the configuration's folder where absent"),
  user: either('the name or number of a user', [
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'the name of a user has no such characters'),
    z.int().min(0).max(4_294_967_294),
  ])
    .optional()
    .describe("runs it as this user, in that user's own group alone; only root may. Not on Windows"),
  limits: limitsSchema
    .refine(
      (limits) => process.getuid !== undefined || Object.values(limits).every((each) => each === undefined),
      'Windows has no such limits: remove them',
    )
    .prefault({})
    .describe('what an instance may use'),
  env: z
    .record(z.string().regex(/^[^=]+$/, 'the name of an environment variable has no ='), z.string())
    .default({})
    .describe("added to reeve's own environment"),
  oneshot: z
    .boolean()
    .default(false)
    .describe('it is meant to finish: with exit code 0 it is done, otherwise it is tried again; no check'),
  dependsOn: dependsOn
    .default({})
    .describe(
      'services that come first: healthy (every instance is up), started (it runs), finished (a oneshot is done)',
    ),
  instances: z.int().min(0).max(256).default(1).describe('how many run at once, each on ports of its own'),
  ports: z
    .record(name, either('auto or a port', [z.literal('auto'), port]))
    .default({ http: 'auto' })
    .describe(
      'names of ports; an instance finds the first in PORT and each in PORT_NAME. auto leases one from ports.range',
    ),
  park: z
    .boolean()
    .default(true)
    .describe(
      'hold an auto port while no instance listens on it; false for a server that binds without SO_REUSEADDR',
    ),
  verify: z
    .boolean()
    .default(true)
    .describe(
      'an instance is ready only when a process of its own listens on its port; false where another one listens for it, such as a container runtime',
    ),
  check: targetCheckSchema.prefault({}).describe('how the health of an instance is asked for'),
  restart: z
    .strictObject({
      backoff: backoff('500ms..60s')
        .prefault('500ms..60s')
        .describe('the wait before a restart doubles from the one to the other'),
      limit: rate('10/1m')
        .prefault('10/1m')
        .describe('after more starts than this in the time it counts as crash-looping'),
      portTaken: z
        .enum(['move', 'wait'])
        .optional()
        .describe(
          'when another program has its port: move to another one of the pool, or wait until it is free; an auto port moves and a fixed one waits where absent',
        ),
    })
    .prefault({})
    .describe('starting an instance again after it ended'),
  stop: z
    .strictObject({
      signal: z
        .enum(['SIGTERM', 'SIGINT', 'SIGHUP'])
        .default('SIGTERM')
        .describe('what asks the instance to end'),
      timeout: duration('10s', 0)
        .prefault('10s')
        .describe('the whole process tree is killed when it has not ended by then'),
      drain: duration('5s', 0)
        .prefault('5s')
        .describe('before it is replaced: how long connections through listeners get to end by themselves'),
    })
    .prefault({})
    .describe('ending an instance'),
  logs: logsSchema.prefault({}).describe('what its instances print, kept in STATE/logs/SERVICE.INDEX.log'),
  register: registerSchema.optional().describe('announce its instances in the registry'),
});

export type Condition = z.infer<typeof condition>;
export type ServiceConfig = z.infer<typeof serviceSchema>;
