// Rules of `dependsOn`: services that exist, conditions that can come true, and no circle.
import { mustExist, type ReportRule } from './names.ts';
import type { Path } from './problems.ts';
import { isText, type Section, section, sections } from './raw.ts';

export interface Edge {
  to: string;
  condition: unknown;
  path: Path;
}

export function dependencyRules(root: unknown, report: ReportRule): void {
  const services = new Map(sections(root, 'services'));
  const edges = new Map<string, Edge[]>();
  for (const [name, service] of services) {
    const known = edgesOf(name, service).filter(({ to, path }) =>
      mustExist(path, 'service', to, root, report),
    );
    for (const { to, condition, path } of known) {
      const oneshot = services.get(to)!.oneshot === true;
      if (condition === 'finished' && !oneshot) {
        report(path, `'${to}' never finishes: only a service with oneshot: true does`);
      }
      if (condition === 'healthy' && oneshot) {
        report(path, `'${to}' is a oneshot and has no health: write ${to}: finished`);
      }
    }
    edges.set(name, known);
  }
  circles(edges, report, 'none of them could ever start');
}

function edgesOf(name: string, { dependsOn }: Section): Edge[] {
  const at = ['services', name, 'dependsOn'];
  if (Array.isArray(dependsOn)) {
    return dependsOn.flatMap((to, index) =>
      isText(to) ? [{ to, condition: 'healthy', path: [...at, index] }] : [],
    );
  }
  return Object.entries(section(dependsOn)).map(([to, condition]) => ({ to, condition, path: [...at, to] }));
}

/** Each circle is told once, at the edge that closes it. Depth first, without recursion: files are hostile. */
export function circles(edges: ReadonlyMap<string, Edge[]>, report: ReportRule, consequence: string): void {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const trail = [{ name: start, left: [...(edges.get(start) ?? [])] }];
    while (trail.length > 0) {
      const { name, left } = trail.at(-1)!;
      const edge = left.shift();
      if (!edge || done.has(name)) {
        done.add(name);
        trail.pop();
        continue;
      }
      const at = trail.findIndex((step) => step.name === edge.to);
      if (at >= 0) {
        const names = [...trail.slice(at).map((step) => step.name), edge.to];
        report(edge.path, `a circle: ${names.join(' → ')}: ${consequence}`);
      } else if (!done.has(edge.to)) {
        trail.push({ name: edge.to, left: [...(edges.get(edge.to) ?? [])] });
      }
    }
  }
}
