// Diffs of configurations: applying one gives the other, and nothing changes without being named.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigDiff, diffConfig, isUnchanged } from './diff.ts';
import { type Config, configSchema } from './schema.ts';

const names = fc.constantFrom('a', 'b', 'c', 'toString', 'constructor', 'x-1');
const ports = fc.uniqueArray(fc.constantFrom('http', 'grpc', 'admin'), { minLength: 1 });
const service = fc.record({ ports, instances: fc.integer({ min: 0, max: 2 }) }).map((value) => ({
  command: ['node'],
  instances: value.instances,
  ports: Object.fromEntries(value.ports.map((name) => [name, 'auto'])),
}));
const listener = fc.integer({ min: 1, max: 3 }).map((port) => ({ bind: [`127.0.0.1:${port}`], sink: 's' }));
const check = fc.integer({ min: 1, max: 3 }).map((port) => ({ url: `tcp://127.0.0.1:${port}` }));
const configs = fc
  .record({
    control: fc.constantFrom({}, { listen: '127.0.0.1:7071' }),
    ports: fc.constantFrom({}, { exclude: [27017] }),
    services: fc.dictionary(names, service),
    listeners: fc.dictionary(names, listener),
    sinks: fc.dictionary(names, fc.constantFrom({ stdout: true }, { file: 'a' }, { file: 'b' })),
    checks: fc.dictionary(names, check),
  })
  .map((value) => configSchema.parse(value));

const sections = ['services', 'listeners', 'sinks', 'checks'] as const;

/** What a reload does: drops what is gone, takes over what came or changed, and leaves the rest alone. */
function applied<K extends (typeof sections)[number]>(
  before: Config,
  after: Config,
  diff: ConfigDiff,
  key: K,
) {
  const { added, removed, changed } = diff[key];
  const kept = Object.entries(before[key]).filter(([name]) => ![...removed, ...changed].includes(name));
  const taken = [...added, ...changed].map((name) => [name, after[key][name]] as const);
  return Object.fromEntries([...kept, ...taken]);
}

describe('diffConfig', () => {
  it('gives the new configuration when it is applied to the old one', () => {
    fc.assert(
      fc.property(configs, configs, (before, after) => {
        const diff = diffConfig(before, after);
        for (const key of sections) expect(applied(before, after, diff, key)).toEqual(after[key]);
      }),
    );
  });

  it('names nothing that stayed the same, and mirrors itself', () => {
    fc.assert(
      fc.property(configs, configs, (before, after) => {
        const [there, back] = [diffConfig(before, after), diffConfig(after, before)];
        for (const key of sections) {
          expect(there[key].added).toEqual(back[key].removed);
          expect([...there[key].changed].sort()).toEqual([...back[key].changed].sort());
          for (const name of there[key].changed) {
            expect(JSON.stringify(before[key][name])).not.toBe(JSON.stringify(after[key][name]));
          }
        }
      }),
    );
  });

  it('finds nothing between a configuration and its copy', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(isUnchanged(diffConfig(config, structuredClone(config)))).toBe(true);
      }),
    );
  });

  it('sees that ports in another order are another PORT', () => {
    const of = (...list: string[]) => ({
      services: { api: { command: ['x'], ports: Object.fromEntries(list.map((name) => [name, 'auto'])) } },
    });
    const diff = diffConfig(configSchema.parse(of('http', 'grpc')), configSchema.parse(of('grpc', 'http')));
    expect(diff.services.changed).toEqual(['api']);
  });

  it('names the sections that need a restart, and the lease pool apart from them', () => {
    const before = configSchema.parse({});
    const after = configSchema.parse({
      control: { tokenFile: 'x' },
      state: './state',
      relay: { engine: 'portable' },
      ports: { range: '3000-4000' },
    });
    const diff = diffConfig(before, after);
    expect(diff).toMatchObject({ restart: ['control', 'state', 'relay'], ports: true });
    expect(isUnchanged(diff)).toBe(false);
  });
});
