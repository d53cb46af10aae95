// Services of the registry and their instances as tables.
import { formatHostPort } from '../../core/endpoint.ts';
import { plural, printable } from '../../core/text.ts';
import type { FoundInstance, ServiceSummary } from '../../registry/index.ts';
import type { Io } from '../io.ts';
import { renderTable } from './table.ts';

export async function renderServices(services: ServiceSummary[], io: Io): Promise<void> {
  const { colors } = io;
  if (services.length > 0) {
    await renderTable(
      [
        { title: 'SERVICE', style: (text) => colors.bold(text) },
        { title: 'TAGS', flexible: true },
      ],
      services.map(({ service, tags }) => [printable(service), printable(tags.join(' '))]),
      io,
    );
  }
  io.out(colors.dim(`${services.length > 0 ? '\n' : ''}${plural(services.length, 'service')}`));
}

export async function renderInstances(instances: FoundInstance[], io: Io): Promise<void> {
  const { colors } = io;
  const standings = { pass: colors.green, warn: colors.yellow, fail: colors.red };
  if (instances.length > 0) {
    await renderTable(
      [
        { title: 'ADDRESS', style: (text) => colors.cyan(text) },
        { title: 'STATE', style: (text, row) => standings[instances[row]!.standing](text) },
        { title: 'NODE' },
        { title: 'TAGS' },
        { title: 'INSTANCE' },
        { title: 'REASON', flexible: true },
      ],
      instances.map(({ host, port, standing, node, tags, id, reason }) => [
        printable(formatHostPort(host, port)),
        standing,
        printable(node ?? '-'),
        printable(tags.join(' ')),
        printable(id),
        printable(reason ?? ''),
      ]),
      io,
    );
  }
  io.out(colors.dim(`${instances.length > 0 ? '\n' : ''}${plural(instances.length, 'instance')}`));
}
