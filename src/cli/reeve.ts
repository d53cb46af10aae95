#!/usr/bin/env node
// The command `reeve`: hands the process over to main.
import { main } from './main.ts';

process.exitCode = await main(process.argv.slice(2), process);
