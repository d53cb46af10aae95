// Where targets come from: fixed texts, and a registry that is asked anew while it is in use.
import { describe, expect, it } from 'vitest';
import type { FoundInstance } from '../registry/index.ts';
import { fixedPlaces, foundPlaces } from './places.ts';

const signal = new AbortController().signal;
const instance = (port: number): FoundInstance => ({
  ...{ id: `i${port}`, service: 'api', host: '10.0.0.1', port, ports: { http: port, grpc: port + 1 } },
  ...{ tags: [], meta: {}, standing: 'pass', reason: null, node: null, datacenter: null },
});

function registry(answers: (FoundInstance[] | Error)[]) {
  let asked = 0;
  let now = 0;
  const find = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const clock = { monotonic: () => now, wall: () => now };
  const places = (port?: string) => foundPlaces({ find }, { query: { service: 'api' }, port, max: 5, clock });
  const later = (ms: number) => {
    now += ms;
  };
  return { places, asked: () => asked, later };
}

const ids = async (places: ReturnType<typeof foundPlaces>) => (await places.list(signal)).map(({ id }) => id);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('places of a registry', () => {
  it('are asked for once, and in the background once they are not fresh', async () => {
    const { places, asked, later } = registry([[instance(1)], [instance(2)]]);
    const all = places();
    expect(await Promise.all([ids(all), ids(all)])).toEqual([['10.0.0.1:1'], ['10.0.0.1:1']]);
    later(900);
    await ids(all);
    expect(asked()).toBe(1);
    later(200);
    expect(await ids(all)).toEqual(['10.0.0.1:1']);
    await turn();
    expect(await ids(all)).toEqual(['10.0.0.1:2']);
    expect(asked()).toBe(2);
  });

  it('are waited for where they are old, and kept where there is no answer', async () => {
    const { places, later } = registry([[instance(1)], [instance(2)], new Error('away')]);
    const all = places();
    await ids(all);
    later(60_000);
    expect(await ids(all)).toEqual(['10.0.0.1:2']);
    later(60_000);
    expect(await ids(all)).toEqual(['10.0.0.1:2']);
  });

  it('fail where there has never been an answer, are the port that is asked for, and nothing twice', async () => {
    await expect(
      registry([new Error('away')])
        .places()
        .list(signal),
    ).rejects.toThrow('away');
    expect(await ids(registry([[instance(1), instance(1)]]).places('grpc'))).toEqual(['10.0.0.1:2']);
    expect(await ids(registry([[instance(1)]]).places('other'))).toEqual([]);
  });
});

describe('fixed places', () => {
  it('are host:port, with weights, and refuse what is none', async () => {
    const list = await fixedPlaces(['[::1]:80', { address: 'db:5432', weight: 2, backup: true }], 9).list(
      signal,
    );
    expect(list).toMatchObject([
      { id: '[::1]:80', host: '::1', weight: 1, backup: false, max: 9 },
      { id: 'db:5432', port: 5432, weight: 2, backup: true },
    ]);
    for (const wrong of ['::1:80', 'host', 'udp://h:1', { address: 'h:1', weight: -1 }])
      expect(() => fixedPlaces([wrong], 9)).toThrow();
    expect(() => fixedPlaces([], 9)).toThrow('at least one');
  });
});
