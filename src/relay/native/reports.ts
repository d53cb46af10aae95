// What a worker reported in one piece, told one by one as the portable engine tells it.
import type { ConnectionEnd, EndReason, EngineReports } from '../engine.ts';
import { type News, unpackEnd } from './protocol.ts';

/** In place of the name of a client that was only counted. */
const unlisted = 'unlisted';

export function pass(listener: string, news: News, reports: EngineReports): void {
  for (const client of news.opened) reports.opened(listener, client);
  for (const [fresh, client] of news.ends) if (fresh) reports.opened(listener, client);
  for (let i = 0; i < news.unlisted.opened; i++) reports.opened(listener, unlisted);
  for (const [client, reason] of news.refused) reports.refused(listener, client, reason);
  for (const [reason, count] of news.unlisted.refused) {
    for (let i = 0; i < count; i++) reports.refused(listener, unlisted, reason);
  }
  if (news.received > 0) reports.received(listener, news.received);
  if (news.sent > 0) reports.sent(listener, news.sent);
  for (const [target, code] of news.outcomes) {
    if (code === null) reports.targetTook(listener, target);
    else reports.targetFailed(listener, target, code);
  }
  for (const end of news.ends) reports.ended(listener, unpackEnd(end));
  const { times } = news.unlisted;
  let at = 0;
  for (const [reason, count] of news.unlisted.ended) {
    for (let i = 0; i < count; i++, at += 2) {
      reports.ended(listener, nameless(reason, null, times[at], times[at + 1]));
    }
  }
}

/** Connections that were open in a worker that died. */
export function passLost(listener: string, count: number, reports: EngineReports): void {
  for (let i = 0; i < count; i++) reports.ended(listener, nameless('error', 'its relay worker died'));
}

function nameless(reason: EndReason, detail: string | null, us = 0, connectUs = -1): ConnectionEnd {
  return {
    client: unlisted,
    target: null,
    reason,
    received: 0,
    sent: 0,
    ms: us / 1000,
    connectMs: connectUs < 0 ? null : connectUs / 1000,
    retries: 0,
    detail,
  };
}
