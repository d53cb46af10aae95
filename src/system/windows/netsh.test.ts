// What netsh prints, in more than one language: ranges as reported by users, the rest after Microsoft's documentation.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeUrls } from './http-sys.ts';
import {
  parseDynamicPorts,
  parseExcludedRanges,
  parseServiceState,
  parseUrlReservations,
  portOfUrl,
} from './netsh.ts';

const fixtures = path.join(import.meta.dirname, '../../../test/fixtures/windows');
/** As a pipe from netsh has it. */
const recorded = (name: string) => readFileSync(path.join(fixtures, name), 'utf8').replaceAll('\n', '\r\n');

describe('parseExcludedRanges()', () => {
  it('tells what is refused from what an administrator set aside', () => {
    expect(parseExcludedRanges(recorded('excluded-ranges.txt'))).toEqual({
      excluded: [
        { first: 80, last: 80 },
        { first: 5986, last: 5986 },
        { first: 47_001, last: 47_001 },
        { first: 56_638, last: 56_737 },
      ],
      administered: [{ first: 55_679, last: 55_679 }],
    });
  });

  it('needs none of the words', () => {
    expect(parseExcludedRanges(recorded('excluded-ranges-es.txt'))).toEqual({
      excluded: [
        { first: 1025, last: 1124 },
        { first: 5357, last: 5357 },
      ],
      administered: [{ first: 50_000, last: 50_059 }],
    });
  });

  it('takes nothing for a range that is none', () => {
    expect(parseExcludedRanges('  90 80\n 1 70000\n 12 13 14\n')).toEqual({ excluded: [], administered: [] });
    fc.assert(fc.property(fc.string(), (text) => void parseExcludedRanges(text)));
  });
});

it.each([
  [
    'Protocol tcp Dynamic Port Range\r\n----\r\nStart Port      : 49152\r\nNumber of Ports : 16384\r\n',
    49_152,
    65_535,
  ],
  ['Port de départ      : 1024\r\nNombre de ports : 64511\r\n', 1024, 65_534],
])('reads the dynamic ports', (text, first, last) => {
  expect(parseDynamicPorts(text)).toEqual({ first, last });
});

it.each(['', 'Start Port : 49152', 'a : 60000\nb : 60000'])('knows no dynamic ports from %j', (text) => {
  expect(parseDynamicPorts(text)).toBeNull();
});

describe('http.sys', () => {
  const queues = parseServiceState(recorded('servicestate.txt'));
  const reserved = parseUrlReservations(recorded('urlacl.txt'));

  it('has queues with URLs and the programs behind them', () => {
    expect(queues).toEqual([
      { urls: ['HTTP://+:5985/WSMAN/', 'HTTP://+:47001/WSMAN/'], pids: [4212] },
      { urls: ['HTTP://*:80/', 'HTTPS://*:443/'], pids: [5120] },
    ]);
  });

  it('has URLs that are reserved', () => {
    expect(reserved).toEqual(['http://*:5357/', 'http://+:80/Temporary_Listen_Addresses/']);
  });

  it('names what is on a port: those registered, else those reserved', () => {
    expect(describeUrls(80, queues, reserved)).toEqual(['HTTP://*:80/ (PID 5120)']);
    expect(describeUrls(5357, queues, reserved)).toEqual(['http://*:5357/ (reserved)']);
    expect(describeUrls(8080, queues, reserved)).toEqual([]);
  });

  it.each([
    ['HTTP://+:80/x', 80],
    ['https://host/', 443],
    ['http://*/', 80],
    ['HTTP://127.0.0.1:8081:127.0.0.1/', 8081],
    ['http://[::1]:9000/', 9000],
    ['ftp://a:21/', null],
  ])('%s is on port %s', (url, port) => {
    expect(portOfUrl(url)).toBe(port);
  });
});
