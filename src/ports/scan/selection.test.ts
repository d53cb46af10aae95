// Which ports are asked: numbers, services, frequent ones, exclusions.
import { describe, expect, it } from 'vitest';
import { countPorts, inRanges } from '../../core/range.ts';
import { selectPorts } from './selection.ts';
import { topPorts } from './top.ts';
import { portsOfService, wellKnownService } from './wellknown.ts';

describe('selectPorts', () => {
  it('asks the first 1024 where nothing is named', () => {
    expect(selectPorts({}, 'connect')).toEqual([{ first: 1, last: 1024 }]);
  });

  it('takes numbers, ranges and services together', () => {
    expect(selectPorts({ ports: 'ssh, 80,HTTP,5430-5440' }, 'connect')).toEqual([
      { first: 22, last: 22 },
      { first: 80, last: 80 },
      { first: 5430, last: 5440 },
    ]);
  });

  it('knows services by protocol', () => {
    expect(selectPorts({ ports: 'mdns,ntp' }, 'udp')).toEqual([
      { first: 123, last: 123 },
      { first: 5353, last: 5353 },
    ]);
    expect(() => selectPorts({ ports: 'mdns' }, 'syn')).toThrow('no service with a usual tcp port');
  });

  it('leaves out what is excluded', () => {
    expect(selectPorts({ ports: '20-25', exclude: 'ssh,24' }, 'connect')).toEqual([
      { first: 20, last: 21 },
      { first: 23, last: 23 },
      { first: 25, last: 25 },
    ]);
    expect(() => selectPorts({ ports: '22', exclude: '1-100' }, 'connect')).toThrow('no port is left');
  });

  it('adds named ports to frequent ones', () => {
    const ports = selectPorts({ ports: '61000', top: 100 }, 'connect');
    expect(countPorts(ports)).toBe(101);
  });

  it.each(['', '0', '70000', 'nothing-like-this', '80,', '9-8'])('refuses %j', (ports) => {
    expect(() => selectPorts({ ports }, 'connect')).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('topPorts', () => {
  it.each([100, 1000] as const)('has exactly %d', (count) => {
    expect(countPorts(topPorts(count))).toBe(count);
  });

  it('has the hundred among the thousand, and what everybody expects', () => {
    for (const port of [22, 80, 443, 3306, 5432, 6379, 8080]) {
      expect(inRanges(topPorts(100), port)).toBe(true);
      expect(inRanges(topPorts(1000), port)).toBe(true);
    }
  });
});

it('labels ports, and finds them by label', () => {
  expect(wellKnownService(22)).toBe('ssh');
  expect(wellKnownService(161)).toBeNull();
  expect(wellKnownService(161, 'udp')).toBe('snmp');
  expect(portsOfService('http-alt')).toEqual([8000, 8080, 8888, 9000]);
  expect(portsOfService('constructor')).toEqual([]);
});
