// Stands in for vitest where that cannot run (Node for Windows under Wine): the tests of one bundled file, in turn.
import { format } from 'node:util';
import { JestAsymmetricMatchers, JestChaiExpect } from '@vitest/expect';
import * as chai from 'chai';

type Work = () => unknown;

const tests: { name: string; work: Work; after: Work[] }[] = [];
let group: { name: string; after: Work[] } = { name: '', after: [] };

export function describe(name: string, define: () => void): void {
  const outer = group;
  group = { name: `${outer.name}${name} > `, after: [...outer.after] };
  define();
  group = outer;
}

export function it(name: string, work: Work): void {
  // Read when it runs: what comes after it may be defined below it.
  tests.push({ name: group.name + name, work, after: group.after });
}

it.each =
  (rows: readonly unknown[]) =>
  (name: string, work: (...row: unknown[]) => unknown): void => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      it(format(name, ...values), () => work(...values));
    }
  };

it.runIf = (condition: boolean) => (name: string, work: Work) => condition && it(name, work);

const always: Work[] = [];

/** Of the group it stands in; at the top, of all. */
export function afterEach(work: Work): void {
  (group.name === '' ? always : group.after).push(work);
}

chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect;

/** Each test's name, and why it failed; null where it did not. */
export async function runAll(): Promise<Record<string, string | null>> {
  const outcome: Record<string, string | null> = {};
  for (const { name, work, after } of tests) {
    try {
      await work();
      outcome[name] = null;
    } catch (error) {
      outcome[name] = error instanceof Error ? error.message : String(error);
    }
    for (const each of [...after, ...always]) await each();
  }
  return outcome;
}
