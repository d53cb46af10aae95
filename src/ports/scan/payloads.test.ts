// The datagrams of a UDP scan are what their protocols call valid: read back by their own rules.
import { describe, expect, it } from 'vitest';
import { udpPayload } from './payloads.ts';

const text = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);

/** One question of a DNS message (RFC 1035 §4.1), which must end there. */
function question(message: Uint8Array): { name: string; type: number; class: number } {
  const view = new DataView(message.buffer, message.byteOffset);
  expect([4, 6, 8, 10].map((at) => view.getUint16(at))).toEqual([1, 0, 0, 0]);
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(text(message.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  expect(at + 5).toBe(message.length);
  return { name: labels.join('.'), type: view.getUint16(at + 1), class: view.getUint16(at + 3) };
}

/** Lengths of BER elements fill each other exactly. */
function checkBer(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes[at + 1]!;
    expect(end).toBeLessThanOrEqual(bytes.length);
    if ((bytes[at]! & 0x20) !== 0) checkBer(bytes.subarray(at + 2, end));
    at = end;
  }
}

describe('udpPayload', () => {
  it('asks name servers', () => {
    expect(question(udpPayload(53))).toEqual({ name: 'version.bind', type: 16, class: 3 });
    expect(question(udpPayload(5353))).toMatchObject({ name: '_services._dns-sd._udp.local', type: 12 });
    const netbios = question(udpPayload(137));
    expect(netbios).toMatchObject({ type: 0x21, class: 1 });
    expect(netbios.name).toBe(`CK${'A'.repeat(30)}`);
  });

  it('asks management agents', () => {
    checkBer(udpPayload(161));
    expect(text(udpPayload(161))).toContain('public');
  });

  it('asks the time, the cache and the transports at their fixed sizes', () => {
    expect([123, 111, 3478, 443].map((port) => udpPayload(port).length)).toEqual([48, 40, 20, 1200]);
    expect(udpPayload(123)[0]! & 7).toBe(3);
    expect(text(udpPayload(11_211).subarray(8))).toBe('version\r\n');
    expect(text(udpPayload(1900))).toMatch(/^M-SEARCH \* HTTP\/1\.1\r\n[\s\S]*\r\n\r\n$/);
  });

  it('has nothing for the others', () => {
    expect(udpPayload(54_321)).toHaveLength(0);
  });
});
