// Rules of Windows' firewall as reg.exe prints them, in the format that [MS-GPFAS] documents.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, parseFirewall } from './firewall.ts';

const text = readFileSync(new URL('../../../test/fixtures/windows/firewall.txt', import.meta.url), 'utf8');
const firewall = parseFirewall(text, { SystemRoot: 'C:\\Windows' });
const ask = (port: number, program: string | null = null, protocol: 'tcp' | 'udp' = 'tcp') =>
  judge(firewall, { protocol, port, program })?.verdict;

describe('judge()', () => {
  it('finds the rule for a port, a range, or a program', () => {
    expect(ask(8080)).toBe('allowed');
    expect(ask(8080, null, 'udp')).toBe('missing');
    expect([ask(5000), ask(5010), ask(5011)]).toEqual(['allowed', 'allowed', 'missing']);
    expect(ask(3000, 'C:\\Program Files\\nodejs\\NODE.EXE')).toBe('allowed');
    expect(ask(3000, 'C:\\other\\node.exe')).toBe('missing');
    expect(ask(3000)).toBe('missing');
    expect(ask(135, 'C:\\Windows\\System32\\svchost.exe')).toBe('missing');
    expect(ask(5353, 'C:\\Windows\\System32\\svchost.exe', 'udp')).toBe('allowed');
  });

  it('takes neither switched off rules nor those for what goes out', () => {
    expect([ask(9001), ask(9002)]).toEqual(['missing', 'missing']);
  });

  it('lets what blocks win', () => {
    expect(ask(8443)).toBe('blocked');
  });

  it('gives the command that adds a rule for that port', () => {
    expect(judge(firewall, { protocol: 'udp', port: 53, program: null })).toEqual({
      verdict: 'missing',
      command:
        'netsh advfirewall firewall add rule name="reeve udp 53" dir=in action=allow protocol=UDP localport=53',
    });
  });

  it('says when it is off, and nothing where nothing is known', () => {
    const off = parseFirewall(text.replaceAll('0x1', '0x0'), {});
    expect(judge(off, { protocol: 'tcp', port: 1, program: null })).toEqual({
      verdict: 'off',
      command: null,
    });
    expect(judge(parseFirewall('', {}), { protocol: 'tcp', port: 1, program: null })).toBeNull();
  });
});

it('takes any text', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom(...text.split('\n'), '|', 'LPort=', '-', '\n'));
  fc.assert(fc.property(fc.array(piece), (pieces) => void parseFirewall(pieces.join(''), {})));
});
