// Both languages are complete: every message that the rules can give has its Chinese, with the same placeholders.
import { expect, test } from 'vitest';
import { type BindFacts, explainBind } from '../../core/causes/index.ts';
import { type DoctorFacts, diagnose } from '../../ports/index.ts';
import { chooseLanguage } from './choose.ts';
import { catalogue, parts, toChinese, translated } from './translate.ts';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([each]) => each).sort();

test('every message has another text with the same placeholders, and is there once', () => {
  for (const [english, chinese] of [...catalogue, ...parts]) {
    expect(placeholders(chinese), english).toEqual(placeholders(english));
    expect(chinese, english).toMatch(/[\u4e00-\u9fff]|^\{|^reeve|Node|PID/);
  }
  const english = catalogue.map(([text]) => text);
  const twice = english.filter((text, i) => english.indexOf(text) !== i);
  expect(
    twice.filter((text) => text !== 'bind and listen worked, and the socket table has nobody on it'),
  ).toEqual([]);
});

const holder = {
  ...{ pid: 42, name: 'node', command: 'node a.js', user: 'ann', cwd: null, startedAt: null, ancestors: [] },
  ...{ unit: 'app.service', service: 'W3SVC', container: 'abcdef0123456789' },
};

/** Facts for every rule of every system. */
function* manyFacts(): Generator<BindFacts> {
  const codes = [null, 'EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'EMFILE', 'ENFILE'];
  const rivals: BindFacts['rivals'][] = [[]];
  for (const state of ['listen', 'bound', 'time-wait', 'established']) {
    for (const address of ['0.0.0.0', '127.0.0.1', '::', '10.0.0.1']) {
      const bind = {
        family: address === '::' ? ('ipv6' as const) : ('ipv4' as const),
        address,
        v6only: false,
      };
      const row = {
        bind,
        state,
        peer: state === 'established' ? '10.0.0.9:1' : null,
        hidden: null,
        urls: [],
      };
      rivals.push([{ ...row, holders: [holder] }]);
      rivals.push([
        { ...row, holders: [{ ...holder, user: null, command: null }, holder] },
        { ...row, holders: [] },
      ]);
      rivals.push([{ ...row, holders: [], hidden: { reason: 'x', needs: null } }]);
      rivals.push([{ ...row, holders: [{ ...holder, pid: 4 }], urls: ['http://+:80/'] }]);
    }
  }
  for (const platform of ['linux', 'win32', 'darwin'])
    for (const protocol of ['tcp', 'udp'] as const)
      for (const reuse of [true, false])
        for (const code of codes)
          for (const all of rivals)
            for (const port of [80, 3000, 40_000, 50_000, 60_000])
              yield {
                ...{ platform, protocol, reuse, port, rivals: all },
                bind:
                  port === 3000
                    ? { family: 'ipv6', address: 'fe80::1', v6only: false }
                    : { family: 'ipv4', address: '0.0.0.0', v6only: false },
                failure: code === null ? null : { code, syscall: 'bind' },
                ...(code === null &&
                  reuse && { failureWithoutReuse: { code: 'EADDRINUSE', syscall: 'bind' } }),
                table:
                  port === 80
                    ? null
                    : {
                        source: 'netlink',
                        blindSpots: port === 3000 ? ['sockets that are bound are not shown'] : [],
                      },
                host: {
                  user: { name: 'ann', elevated: false },
                  ephemeral: { first: 32_768, last: 45_000 },
                  reserved: [{ first: 50_000, last: 50_001 }],
                  excluded: [{ first: 60_000, last: 60_100 }],
                  ...{ unprivilegedFrom: 1024, mayBindPrivileged: false },
                  ipv6: { available: code !== 'EADDRNOTAVAIL', reason: null },
                  descriptors: { open: reuse ? 5 : null, soft: 10, hard: 20 },
                  addresses: port === 80 ? [] : [{ address: '10.0.0.1', interface: 'eth0' }],
                },
              };
}

test('why: every summary, evidence and remedy has its Chinese', { timeout: 60_000 }, () => {
  const missing = new Set<string>();
  const seen = new Set<string>();
  for (const facts of manyFacts()) {
    for (const { summary, evidence, remedies } of explainBind(facts).causes) {
      for (const text of [summary, ...evidence, ...remedies.map(({ title }) => title)]) {
        if (seen.has(text)) continue;
        seen.add(text);
        // What a table says of itself is the system's, not a rule's.
        if (translated(text) === null && text !== 'sockets that are bound are not shown') missing.add(text);
      }
    }
  }
  expect([...missing]).toEqual([]);
  expect(seen.size).toBeGreaterThan(150);
});

test('doctor: every finding has its Chinese', () => {
  const missing = new Set<string>();
  for (const platform of ['linux x64', 'win32', 'darwin', 'linux'])
    for (const good of [true, false]) {
      const facts: DoctorFacts = {
        ...{ node: '20.19.0', version: '1.0.0', platform, pool: { first: 20_000, last: 32_000 } },
        host: {
          user: { uid: 0, name: 'ann', elevated: good },
          ephemeral: good ? { first: 32_768, last: 60_999 } : { first: 1024, last: 60_000 },
          reserved: [{ first: 1, last: 2 }],
          excluded: good ? [] : [{ first: 5, last: 9 }],
          ...{ unprivilegedFrom: 1024, mayBindPrivileged: good },
          ipv6: { available: good, v6onlyDefault: false, reason: null },
          descriptors: { open: 3, soft: good ? 30_000 : 1024, hard: 1024 },
          addresses: [],
        },
        table: good ? ({ source: 'netlink', rows: [], blindSpots: [] } as never) : null,
        tableError: null,
        containment: { encloses: good, endsWithThis: false, findsMarked: platform !== 'win32' } as never,
        state: { folder: '/x', error: good ? null : 'EACCES' },
        firewall: [
          { protocol: 'tcp', port: 80, answer: { verdict: good ? 'allowed' : 'blocked', command: 'x y' } },
          {
            protocol: 'tcp',
            port: 81,
            answer: { verdict: platform === 'linux' ? 'off' : 'missing', command: 'x y' },
          },
        ] as never,
        registry: { address: 'http://127.0.0.1:8500', error: good ? null : 'x', services: 2 },
      };
      for (const { subject, message, remedy } of diagnose(facts)) {
        for (const text of [subject, message, remedy]) {
          if (text === null || ['IPv6', '/x', '/x: EACCES', 'http://127.0.0.1:8500: x'].includes(text))
            continue;
          if (/^(sudo|ulimit)/.test(text)) continue;
          if (translated(text) === null) missing.add(text);
        }
      }
    }
  expect([...missing]).toEqual([]);
});

test('parts are translated inside, names and commands are not', () => {
  expect(toChinese('127.0.0.1:80 is held by node (PID 7 and 2 more, user ann)')).toBe(
    '127.0.0.1:80 被 node（PID 7 及另外 2 个进程，用户 ann） 占用',
  );
  expect(toChinese('end node (PID 7), make (PID 9) and 2 more, with 3 started by it')).toBe(
    '结束 node（PID 7）、make（PID 9）等另外 2 个进程（及其启动的 3 个进程）',
  );
  expect(toChinese('its holder cannot be shown: 2 processes of other users may not be looked into')).toBe(
    '无法显示其占用者：无权查看其他用户的 2 个进程',
  );
  expect(
    toChinese(
      'procfs: the kernel does not tell who holds a socket; TCP sockets that are bound but do not listen are not shown',
    ),
  ).toBe('procfs：内核不提供套接字的占用者；不显示已绑定而未监听的 TCP 套接字');
  expect(toChinese('tcp://0.0.0.0:80 is held')).toBe('tcp://0.0.0.0:80：被占用');
  expect(toChinese('something new')).toBe('something new');
});

test('--lang wins over the locale, and only simplified Chinese is Chinese', () => {
  const choose = (args: string[], env: NodeJS.ProcessEnv) => chooseLanguage(args, env).language;
  expect(choose([], { LANG: 'zh_CN.UTF-8' })).toBe('zh');
  expect(choose([], { LC_ALL: 'C', LANG: 'zh_CN.UTF-8' })).toBe('en');
  expect(choose([], { LANG: 'zh_TW.UTF-8' })).toBe('en');
  expect(choose(['why', '--lang', 'en', '80'], { LANG: 'zh_CN' })).toBe('en');
  expect(choose(['--lang=zh', 'why'], {})).toBe('zh');
  expect(choose(['run', '--', 'x', '--lang', 'zh'], {})).toBe('en');
});
