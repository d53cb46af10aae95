// What lsof prints: as it was seen on Linux and as its manual has it, and with hostile names in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLsof } from './lsof.ts';

const fields = (...set: string[]) => `${set.join('\0')}\0\n`;
const rows = (text: string) => parseLsof(text).map(({ pid, row }) => ({ pid, ...row }));

describe('parseLsof()', () => {
  it('reads listeners, connections and UDP', () => {
    const text =
      fields('p9001') +
      fields('f20', 'tIPv4', 'd34109887', 'PTCP', 'n127.0.0.1:31098', 'TST=LISTEN', 'TQR=0', 'TQS=0') +
      fields('f21', 'tIPv6', 'd0x7f', 'PTCP', 'n[fe80:0::1]:80->[::1]:1024', 'TST=ESTABLISHED') +
      fields('p77') +
      fields('f9u', 'tIPv6', 'd0x80', 'PTCP', 'n*:8080', 'TST=CLOSED') +
      fields('f10', 'tIPv4', 'PUDP', 'n*:5353') +
      fields('f11', 'tIPv4', 'd0x81', 'PUDP', 'n*:*');
    expect(rows(text)).toMatchObject([
      { pid: 9001, family: 'ipv4', address: '127.0.0.1', port: 31_098, state: 'listen', id: '34109887' },
      { address: 'fe80::1', port: 80, remoteAddress: '::1', remotePort: 1024, state: 'established' },
      { pid: 77, family: 'ipv6', address: '::', port: 8080, state: 'bound', remoteAddress: null },
      { protocol: 'udp', address: '0.0.0.0', port: 5353, state: 'unconnected', id: '77/10' },
    ]);
  });

  it('passes over ports and addresses that are none', () => {
    const bad = ['n*:99999', 'n*:0', 'n127.0.0.1:http', 'n[::1]:1', 'n', 'n1.2.3:4', 'nx->y'];
    const text = fields('p1') + bad.map((name) => fields('f1', 'tIPv4', 'PTCP', name, 'TST=LISTEN')).join('');
    expect(rows(text)).toEqual([]);
  });

  it('takes a process without a number for nobody', () => {
    for (const pid of ['p0', 'p-1', 'px', 'p1e3', 'p']) {
      expect(rows(fields(pid) + fields('f1', 'tIPv4', 'PTCP', 'n*:80', 'TST=LISTEN'))).toEqual([]);
    }
  });

  it('keeps a name of a program from posing as another process', () => {
    const text = fields('p5', 'cevil\np4711') + fields('f1', 'tIPv4', 'd1', 'PTCP', 'n*:80', 'TST=LISTEN');
    expect(rows(text)).toMatchObject([{ pid: 5, port: 80 }]);
  });

  it('takes any text, and never makes up a row', () => {
    const piece = fc.oneof(
      fc.constantFrom('p12\0', 'f3\0', 'tIPv4\0', 'tIPv6\0', 'PTCP\0', 'PUDP\0', 'TST=LISTEN\0', '\n', '\0'),
      fc.constantFrom('n*:80\0', 'n[::1]:9\0', 'n1.2.3.4:5->6.7.8.9:10\0', 'd0x1\0'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const { pid, row } of parseLsof(pieces.join(''))) {
          expect(pid).toBeGreaterThan(0);
          expect(row.port).toBeGreaterThan(0);
          expect(row.address).not.toBe('');
        }
      }),
    );
  });
});
