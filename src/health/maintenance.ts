// Maintenance: for a time, probing goes on and no action is taken.
import type { Context } from '../core/context.ts';
import { formatDuration } from '../core/quantity.ts';

export interface Maintained {
  /** `check/database`, `service/user-api`, `service/user-api/0`, `target/web/10.0.0.5:80`. */
  subject: string;
  /** Wall clock, ms. */
  until: number;
}

/** Far more than there are reasons to work on at once. */
const mostSubjects = 1000;
/** Node's timers hold no more. */
const longestTimer = 2 ** 31 - 1;

export interface Maintenance {
  begin(subject: string, ms: number): Maintained;
  /** False where there was none. */
  end(subject: string): boolean;
  list(): Maintained[];
  /** Whether it, or the service that it is an instance of, is being worked on. */
  covers(subject: string): boolean;
  /** Takes up what a former run of the daemon left. */
  restore(entries: readonly Maintained[]): void;
  close(): void;
}

export function createMaintenance(
  { clock, emit, log }: Pick<Context, 'clock' | 'emit' | 'log'>,
  changed: (entries: Maintained[]) => void,
): Maintenance {
  const entries = new Map<string, { until: number; timer: NodeJS.Timeout }>();
  const list = () => [...entries].map(([subject, { until }]) => ({ subject, until }));
  const tell = (subject: string, message: string, until: number | null) =>
    emit({
      kind: 'health',
      subject,
      message,
      detail: { maintenance: until === null ? null : new Date(until).toISOString() },
    });
  const drop = (subject: string) => {
    clearTimeout(entries.get(subject)?.timer);
    return entries.delete(subject);
  };
  const arm = (subject: string, until: number) => {
    const left = Math.min(longestTimer, Math.max(0, until - clock.wall()));
    const timer = setTimeout(() => {
      if (clock.wall() < until) return arm(subject, until);
      drop(subject);
      tell(subject, 'maintenance is over', null);
      changed(list());
    }, left).unref();
    entries.set(subject, { until, timer });
  };
  return {
    begin(subject, ms) {
      const until = clock.wall() + ms;
      drop(subject);
      if (entries.size >= mostSubjects) {
        const oldest = entries.keys().next().value!;
        log.warn({ subject: oldest }, 'too much is in maintenance: the oldest is taken out');
        drop(oldest);
      }
      arm(subject, until);
      tell(subject, `in maintenance for ${formatDuration(ms)}: actions are held`, until);
      changed(list());
      return { subject, until };
    },
    end(subject) {
      if (!drop(subject)) return false;
      tell(subject, 'maintenance was ended', null);
      changed(list());
      return true;
    },
    list,
    covers(subject) {
      if (entries.size === 0) return false;
      if (entries.has(subject)) return true;
      const [, service] = /^(service\/[^/]+)\/\d+$/.exec(subject) ?? [];
      return service !== undefined && entries.has(service);
    },
    restore(kept) {
      for (const { subject, until } of kept) if (until > clock.wall()) arm(subject, until);
    },
    close() {
      for (const subject of [...entries.keys()]) drop(subject);
    },
  };
}
