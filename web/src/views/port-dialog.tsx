// One port: who has it, why a bind would fail, and freeing it, with the plan shown before anything is done.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { clock, duration } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useFetched } from '../parts/fetched.ts';
import { Badge, State } from '../parts/state.tsx';
import { ask, Refusal, signedIn, wantsSignIn } from '../state/api.ts';
import type { PortRow } from '../state/ports.ts';
import { linkTo } from '../state/route.ts';
import { said } from '../state/spoken.ts';
import type { FreeResult, SocketRecord, WhyRecord } from '../state/types.ts';

export function PortDialog({ port, rows }: { port: number; rows: PortRow[] }) {
  /** Counts what was done here: then the bind is tried again. */
  const done = useSignal(0);
  const protocols = useRef(new Set<string>());
  for (const { socket } of rows) if (socket) protocols.current.add(socket.protocol);
  const why = useFetched<WhyRecord>(`/api/v1/why?endpoint=${port}`, 0, done.value);
  const { data, error } = why.value;
  return (
    <Dialog
      side
      title={t('port.title', { port })}
      onClose={() => {
        if (location.hash === linkTo('ports', String(port))) location.hash = linkTo('ports');
      }}
    >
      <h3>{t('port.who')}</h3>
      {rows.length === 0 && <p class="note">{t('port.nobody')}</p>}
      {rows.map((row) =>
        row.socket ? (
          <Socket key={row.key} socket={row.socket} known={row.known} />
        ) : (
          <p key={row.key}>{t('port.leased', { name: row.known })}</p>
        ),
      )}
      <h3>{t('port.why')}</h3>
      {error !== null && <p class="tone-down">{t('failed', { why: error })}</p>}
      {!data && error === null && <p class="note">{t('loading')}</p>}
      {data && <Why record={data} />}
      {protocols.current.size > 0 && (
        <Free
          port={port}
          protocols={[...protocols.current]}
          onDone={() => {
            done.value += 1;
          }}
        />
      )}
    </Dialog>
  );
}

function Socket({ socket, known }: { socket: SocketRecord; known: string }) {
  return (
    <div class="socket">
      <p>
        <code>
          {socket.protocol}://{socket.address}:{socket.port}
        </code>{' '}
        <span class="note">{socket.state}</span> {known !== '' && <Badge tone="info">{known}</Badge>}
      </p>
      {socket.hidden && <p class="tone-warn">{socket.hidden.reason}</p>}
      {socket.holders.map((holder) => (
        <dl key={holder.pid} class="facts wide holder">
          <Fact name={t('process')} value={`${holder.name} (PID ${holder.pid})`} />
          <Fact name={t('user')} value={holder.user} />
          <Fact name={t('command')} value={holder.command} code />
          <Fact name={t('folder')} value={holder.cwd} code />
          <Fact
            name={t('since')}
            value={
              holder.startedAt &&
              `${clock(holder.startedAt)} (${duration(Date.now() - Date.parse(holder.startedAt))})`
            }
          />
          <Fact
            name={t('parents')}
            value={holder.ancestors.map(({ name, pid }) => `${name} (${pid})`).join(' ← ')}
          />
          <Fact name={t('unit')} value={holder.unit ?? holder.service} />
          <Fact name={t('container')} value={holder.container?.slice(0, 12) ?? null} code />
        </dl>
      ))}
    </div>
  );
}

function Fact({ name, value, code = false }: { name: string; value: string | null; code?: boolean }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{code ? <code>{value}</code> : value}</dd>
    </div>
  );
}

function Why({ record }: { record: WhyRecord }) {
  return (
    <>
      <p>
        <State of={record.verdict} /> <code class="note">{record.endpoint}</code>{' '}
        {record.error && <code class="note">{record.error.code}</code>}
      </p>
      {record.causes.map((cause) => (
        <div key={cause.id + cause.summary} class="cause">
          <p>
            <strong>{said(cause.summary)}</strong> <Badge>{word('confidence', cause.confidence)}</Badge>
          </p>
          <ul>
            {cause.evidence.map((each) => (
              <li key={each} class="note">
                {said(each)}
              </li>
            ))}
          </ul>
          {cause.remedies.map(({ title, command }) => (
            <p key={title}>
              {said(title)}
              {command !== null && <code class="command">{command}</code>}
            </p>
          ))}
        </div>
      ))}
    </>
  );
}

interface Plan {
  id: string | null;
  results: FreeResult[];
}

interface FreeProps {
  port: number;
  /** That this port was held for since the dialog was opened: freeing it does not take the answer away. */
  protocols: string[];
  onDone(): void;
}

function Free({ port, protocols, onDone }: FreeProps) {
  const plan = useSignal<Plan | null>(null);
  const busy = useSignal(false);
  const failure = useSignal('');
  const send = async (path: string, body: object) => {
    if (!signedIn.value) {
      wantsSignIn.value = true;
      return;
    }
    busy.value = true;
    failure.value = '';
    try {
      const answer = await ask<Partial<Plan> & Pick<Plan, 'results'>>(path, body);
      plan.value = { id: answer.id ?? null, results: answer.results };
      if (path.endsWith('/apply')) onDone();
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) wantsSignIn.value = true;
      failure.value = (error as Error).message;
    }
    busy.value = false;
  };
  const shown = plan.value;
  return (
    <>
      <h3>{t('free.title')}</h3>
      {shown?.results.map((result) => (
        <div key={result.endpoint} class="cause">
          <p>
            <strong>{t(`free.${result.outcome}`)}</strong> <code class="note">{result.endpoint}</code>
          </p>
          <ol>
            {result.plan.map(({ action, subject }) => (
              <li key={subject}>
                {word('action', action)}: {said(subject)}
              </li>
            ))}
          </ol>
          {result.reason !== null && <p>{said(result.reason)}</p>}
          {result.proof !== null && <p class="note">{said(result.proof)}</p>}
        </div>
      ))}
      {failure.value !== '' && (
        <p class="tone-down" role="alert">
          {failure.value}
        </p>
      )}
      <p class="buttons">
        {shown?.id ? (
          <>
            <button
              type="button"
              class="button danger"
              disabled={busy.value}
              onClick={() => send('/api/v1/free/apply', { id: shown.id })}
            >
              {t(busy.value ? 'free.busy' : 'free.do')}
            </button>
            <button
              type="button"
              class="button"
              disabled={busy.value}
              onClick={() => {
                plan.value = null;
              }}
            >
              {t('cancel')}
            </button>
          </>
        ) : (
          protocols.map((protocol) => (
            <button
              key={protocol}
              type="button"
              class="button"
              disabled={busy.value}
              onClick={() => send('/api/v1/free', { target: `${protocol}:${port}` })}
            >
              {t('free.plan', { target: `${protocol}:${port}` })}
            </button>
          ))
        )}
      </p>
    </>
  );
}
