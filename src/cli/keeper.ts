// The keeper's program (dist/keeper.js): stdin tells what to end when reeve is gone. Not a command for people.
import { runKeeper } from '../supervise/index.ts';
import { selectSystem } from '../system/select.ts';

// It goes when its work is done, and not before: reeve's end is what it waits for.
for (const name of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(name, () => {});
await runKeeper(process.stdin, process.env, await selectSystem());
// An input that has ended and nobody left: nothing that is still open may keep it.
process.exit(0);
