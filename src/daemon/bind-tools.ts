// What binding asks of the ports' verbs: who stands in the way, and making way where the configuration allows it.
import type { Context } from '../core/context.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { BindTools } from '../listen/index.ts';
import { carryOut, parsePortTarget, prepareFree, why } from '../ports/index.ts';
import type { System } from '../system/index.ts';

export function bindTools(
  system: System,
  context: Context,
  inherited: NonNullable<BindTools['inherited']> = () => null,
): BindTools {
  return {
    context,
    inherited,
    explain: (endpoint) => explainBind(system, endpoint),
    async evict(endpoint, allow, signal) {
      for (const prepared of await prepareFree(system, [parsePortTarget(formatEndpoint(endpoint))])) {
        const { plan } = prepared;
        if (plan.kind === 'nothing') continue;
        if (plan.kind === 'refuse') throw new ReeveError('conflict', plan.reason);
        const stranger = plan.holders.find(({ name }) => !allow.includes(name));
        if (stranger) {
          throw new ReeveError(
            'conflict',
            `${printable(stranger.name)} (PID ${stranger.pid}) is not one of those that allowEvict names: ${allow.join(', ')}`,
          );
        }
        const subjects = plan.steps.map(({ subject }) => subject).join(', ');
        context.emit({
          kind: 'conflict',
          subject: formatEndpoint(endpoint),
          message: `evicting ${subjects}`,
          detail: { allowEvict: allow },
        });
        // The bind that follows proves that the port is free, so there is no need to watch it here.
        const { outcome, reason } = await carryOut(system, prepared, { watchMs: 0 }, signal);
        if (outcome === 'failed') throw new ReeveError('conflict', reason ?? `${subjects} did not make way`);
      }
    },
  };
}

/** One line: who holds it, or what else stands in the way. */
export async function explainBind(system: System, endpoint: Endpoint): Promise<string> {
  const { causes, verdict } = await why(system, formatEndpoint(endpoint));
  const summaries = causes.filter(({ confidence }) => confidence === 'certain').map(({ summary }) => summary);
  return summaries[0] ?? causes[0]?.summary ?? `no cause was found; the port is ${verdict} now`;
}
