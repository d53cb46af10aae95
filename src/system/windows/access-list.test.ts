// Access lists as Windows writes them (SDDL): who has access besides the owner, and what is written for one alone.
import { describe, expect, it } from 'vitest';
import { othersIn, ownerOnly, serviceSid } from './access-list.ts';

const me = 'S-1-5-21-1-2-3-1001';
const other = 'S-1-5-21-1-2-3-1002';
const trusted = '(A;;FA;;;SY)(A;;FA;;;BA)';

describe('othersIn()', () => {
  it.each([
    ['what is inherited in a profile', `O:${me}G:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;${me})`, []],
    ['what reeve writes', `O:${me}${ownerOnly(me, 'file')}`, []],
    [
      'what is inherited below ProgramData',
      `O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)`,
      ['BU'],
    ],
    [
      'what is inherited below C:\\',
      `O:BAG:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)`,
      ['BU', 'AU'],
    ],
    ['another user', `O:${me}D:P${trusted}(A;;FR;;;${other})`, [other]],
    ['its owner, who is somebody else', `O:${other}D:P${trusted}(A;;FA;;;${other})`, []],
    ['a service', `O:BAD:P${trusted}(A;;0x1301bf;;;${serviceSid('portreeve')})`, []],
    ['who may only look at attributes', `O:${me}D:P${trusted}(A;;0x100080;;;BU)(A;;RCLO;;;AU)`, []],
    ['who may take it over', `O:${me}D:P${trusted}(A;;WO;;;AU)`, ['AU']],
    ['all generic rights', `O:${me}D:P${trusted}(A;;GA;;;WD)`, ['WD']],
    ['a generic right as a number', `O:${me}D:P${trusted}(A;;0x80000000;;;WD)`, ['WD']],
    ['what holds only for what is inside', `O:${me}D:P${trusted}(A;OICIIO;GA;;;BU)`, []],
    [
      'a condition',
      `O:${me}D:P${trusted}(XA;;FR;;;AU;(@User.Title=="PM" && (@User.Division=="Sales")))`,
      ['AU'],
    ],
    ['who is denied', `O:${me}D:P(D;;FA;;;BU)${trusted}`, []],
    ['an audit list', `O:${me}D:P${trusted}S:AI(AU;SAFA;FA;;;WD)(ML;;NW;;;LW)`, []],
    ['no list at all', `O:${me}D:NO_ACCESS_CONTROL`, ['WD']],
    ['a disk without lists', `O:${me}`, ['WD']],
  ])('%s', (_, sddl, others) => {
    expect(othersIn(sddl, me).others).toEqual(others);
  });

  it('names the owner', () => {
    expect(othersIn(`O:${other}G:BUD:P`, me).owner).toBe(other);
    expect(othersIn('O:BAG:SYD:P', me).owner).toBe('BA');
  });
});

it('computes the SID of a service as Windows does', () => {
  // As published for NT SERVICE\TrustedInstaller, whatever the case.
  const sid = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464';
  expect(serviceSid('TrustedInstaller')).toBe(sid);
  expect(serviceSid('trustedinstaller')).toBe(sid);
});
