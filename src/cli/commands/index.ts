// Door of commands/: every command there is, in the order in which the help shows them.

import type { Define } from '../define.ts';
import { checkCommand } from './check.ts';
import { completeCommand, completionCommand } from './completion.ts';
import { downCommand, eventsCommand, reloadCommand, statusCommand } from './control.ts';
import { dialCommand } from './dial.ts';
import { doctorCommand } from './doctor.ts';
import { freeCommand } from './free.ts';
import { leaseCommand, leasesCommand, releaseCommand } from './lease.ts';
import { maintainCommand } from './maintain.ts';
import { announceCommand, servicesCommand } from './registry.ts';
import { runCommand } from './run.ts';
import { scanCommand } from './scan.ts';
import { serviceCommand } from './service.ts';
import { logsCommand, restartCommand, scaleCommand } from './services.ts';
import { drainCommand, weightCommand } from './targets.ts';
import { topCommand } from './top.ts';
import { upCommand } from './up.ts';
import { upgradeCommand } from './upgrade.ts';
import { waitCommand } from './wait.ts';
import { whoCommand } from './who.ts';
import { whyCommand } from './why.ts';

export const commands: readonly Define[] = [
  whoCommand,
  whyCommand,
  freeCommand,
  topCommand,
  scanCommand,
  waitCommand,
  checkCommand,
  leaseCommand,
  leasesCommand,
  releaseCommand,
  runCommand,
  upCommand,
  statusCommand,
  eventsCommand,
  reloadCommand,
  upgradeCommand,
  downCommand,
  serviceCommand,
  logsCommand,
  restartCommand,
  scaleCommand,
  drainCommand,
  weightCommand,
  maintainCommand,
  servicesCommand,
  announceCommand,
  dialCommand,
  doctorCommand,
  completionCommand,
];

/** What the help does not show. */
export const hidden: readonly Define[] = [completeCommand];
