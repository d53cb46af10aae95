// When the service manager hears that the daemon lives, and when it must not.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ServiceManager } from '../system/index.ts';
import { createManagerReports } from './manager-reports.ts';
import type { DaemonStatus } from './status.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function told(watchdog: number | null) {
  const heard: string[] = [];
  const say = (word: string) => () => void heard.push(word);
  const manager: ServiceManager = {
    watchdog,
    starting: say('starting'),
    ready: say('ready'),
    reloading: say('reloading'),
    stopping: say('stopping'),
    alive: say('alive'),
    mainProcess: (pid) => void heard.push(`main ${pid}`),
    asks() {},
  };
  const source = {
    accepts: true,
    status: () => ({ control: '127.0.0.1:1', listeners: [], services: [] }) as unknown as DaemonStatus,
    accepting: () => source.accepts,
  };
  return { heard, source, reports: createManagerReports(manager, source) };
}

it('is alive at half of the time, as long as every listener has somebody who accepts', () => {
  const { heard, source, reports } = told(1000);
  reports.entered('ready');
  vi.advanceTimersByTime(1000);
  expect(heard).toEqual(['starting', 'ready', 'alive', 'alive']);
  source.accepts = false;
  vi.advanceTimersByTime(5000);
  expect(heard).toHaveLength(4);
  source.accepts = true;
  vi.advanceTimersByTime(500);
  expect(heard).toHaveLength(5);
  // Listeners are closed one by one then: that is no illness.
  reports.entered('draining');
  source.accepts = false;
  vi.advanceTimersByTime(500);
  expect(heard.slice(5)).toEqual(['stopping', 'alive']);
  reports.close();
  vi.advanceTimersByTime(5000);
  expect(heard).toHaveLength(7);
});

it('asks for more time while it starts, and says nothing of a watchdog where there is none', () => {
  const { heard, reports } = told(null);
  vi.advanceTimersByTime(20_000);
  reports.entered('ready');
  vi.advanceTimersByTime(60_000);
  expect(heard).toEqual(['starting', 'starting', 'starting', 'ready']);
});

it('does not say ready again after a stop that came during a reload', () => {
  const { heard, reports } = told(null);
  reports.entered('ready');
  reports.reloading();
  reports.entered('draining');
  reports.reloaded();
  expect(heard).toEqual(['starting', 'ready', 'reloading', 'stopping']);
});
