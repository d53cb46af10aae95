// Rules of checks: options that go with the URL, actions that do one thing each, dependencies that exist and end.
import { circles, type Edge } from './dependency-rules.ts';
import { mustExist, type ReportRule } from './names.ts';
import type { Path } from './problems.ts';
import { isText, type Section, section, sections } from './raw.ts';

const http = ['http', 'https'];
const spoken = ['tcp', 'udp', 'unix'];
const secured = ['https', 'grpcs', 'tls'];

/** Which schemes an option is for, and how a person calls them. */
const optionsFor: Record<string, [schemes: string[], words: string]> = {
  method: [http, 'http:// and https://'],
  headers: [http, 'http:// and https://'],
  status: [http, 'http:// and https://'],
  redirects: [http, 'http:// and https://'],
  send: [spoken, 'tcp://, udp:// and unix:'],
  expect: [[...spoken, ...http], 'tcp://, udp://, unix:, http:// and https://'],
  minDays: [['tls', 'https'], 'tls:// and https://'],
  ca: [secured, 'https://, grpcs:// and tls://'],
  insecure: [secured, 'https://, grpcs:// and tls://'],
};

const kinds = ['run', 'webhook', 'restart', 'deregister'] as const;
const partsOf: Record<string, (typeof kinds)[number]> = {
  headers: 'webhook',
  secret: 'webhook',
  retries: 'webhook',
  limit: 'restart',
  grace: 'restart',
};

export function watchRules(root: unknown, report: ReportRule): void {
  const edges = new Map<string, Edge[]>();
  for (const [name, check] of sections(root, 'checks')) {
    const at = ['checks', name];
    if (isText(check.url)) optionRules(at, check, check.url.replace(/:.*/s, '').toLowerCase(), report);
    alertRules(at, check, root, report);
    const listed = Array.isArray(check.dependsOn) ? check.dependsOn : [];
    const own = listed.flatMap((to, index) =>
      isText(to) ? [{ to, condition: null, path: [...at, 'dependsOn', index] }] : [],
    );
    edges.set(
      name,
      own.filter(({ to, path }) => mustExist(path, 'check', to, root, report)),
    );
  }
  circles(edges, report, 'each would wait for the other');
}

/** The check of a service or of targets. */
export function targetCheckRules(
  at: Path,
  check: Section,
  root: unknown,
  report: ReportRule,
  /** Whose check it is, of a service. */
  own: string | null = null,
): void {
  const ways = ['http', 'tcp', 'udp', 'grpc', 'exec'].filter((key) => key in check);
  if (ways.length > 1) report([...at, ways[1]!], `a check is either ${ways[0]} or ${ways[1]}, not both`);
  optionRules(at, check, ways[0] ?? 'tcp', report);
  alertRules(at, check, root, report, own);
}

function optionRules(at: Path, check: Section, scheme: string, report: ReportRule): void {
  for (const [option, [schemes, words]] of Object.entries(optionsFor)) {
    if (option in check && !schemes.includes(scheme)) {
      report([...at, option], `${option} is for ${words}; this is ${scheme}`);
    }
  }
  const [, pattern] = /^\/(.+)\/$/s.exec(isText(check.expect) ? check.expect : '') ?? [];
  if (pattern !== undefined && !isRegExp(pattern)) {
    report([...at, 'expect'], 'between its slashes this is no regular expression');
  }
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 's') instanceof RegExp;
  } catch {
    return false;
  }
}

function alertRules(
  at: Path,
  check: Section,
  root: unknown,
  report: ReportRule,
  own: string | null = null,
): void {
  for (const list of ['onDown', 'onUp']) {
    const actions = Array.isArray(check[list]) ? check[list] : [];
    actions.forEach((value, index) => {
      const action = section(value);
      actionRules([...at, list, index], action, root, report);
      if (own !== null && action.restart === own) {
        const message = 'an instance is restarted when its own check fails: nothing needs to be said';
        report([...at, list, index, 'restart'], message);
      }
    });
  }
  if ('repeat' in check && !('onDown' in check))
    report([...at, 'repeat'], 'repeat is for onDown, and there is none');
}

function actionRules(at: Path, action: Section, root: unknown, report: ReportRule): void {
  const chosen = kinds.filter((kind) => kind in action);
  if (chosen.length === 0) report(at, 'an action is one of run, webhook, restart and deregister');
  if (chosen.length > 1)
    report([...at, chosen[1]!], `an action is either ${chosen[0]} or ${chosen[1]}, not both`);
  for (const [part, kind] of Object.entries(partsOf)) {
    if (part in action && chosen.length === 1 && chosen[0] !== kind) {
      report([...at, part], `${part} is for ${kind}; this is ${chosen[0]}`);
    }
  }
  for (const kind of ['restart', 'deregister'] as const) {
    const service = action[kind];
    if (isText(service)) mustExist([...at, kind], 'service', service, root, report);
  }
  if (!('deregister' in action)) return;
  const place = [...at, 'deregister'];
  if (at[0] !== 'checks') report(place, 'an instance whose own check fails leaves the registry by itself');
  else if (at.includes('onUp'))
    report(place, 'deregister is for onDown: what it took out comes back by itself');
}
