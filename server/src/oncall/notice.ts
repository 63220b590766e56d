import type { Transaction } from 'kysely';
import { type AlertView, UNHANDLED } from '../alerting/contract.ts';
import type { Pager } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Person } from './contract.ts';
import { clockText } from './evaluate.ts';
import type { Handover } from './handover.ts';

export type NoticeWords = { readonly title: string; readonly text: string };

/** What a person is told of their shift, in their time. */
export function noticeOf({ kind, person, schedule, atMs, untilMs, others, reason }: Handover): NoticeWords {
  const when = (ms: number): string => `${clockText(ms, person.zone)} (${person.zone})`;
  const names = (people: readonly Person[]): string => people.map(({ name }) => name).join(' and ');
  if (kind === 'begins') {
    const until = untilMs === undefined ? '' : `, until ${when(untilMs)}`;
    const before = others.length === 0 ? 'Before you nobody was.' : `Before you it was ${names(others)}.`;
    return {
      title: `You are on call: ${schedule.name}`,
      text: `From ${when(atMs)} you are on call for ${schedule.name}${until}. ${before}\nWhy: ${reason}.`,
    };
  }
  const now = others.length === 0 ? `Now ${reason}.` : `Now it is ${names(others)}.`;
  return {
    title: `Your shift has ended: ${schedule.name}`,
    text: `Since ${when(atMs)} you are no longer on call for ${schedule.name}. ${now}`,
  };
}

/**
 * Puts the notice into the outbox, in the caller's transaction, for the first of the person's contacts that takes it. False when none does:
 * they have none, its channel is gone, or it only opens incidents.
 */
export async function sendNotice(trx: Transaction<Database>, pager: Pick<Pager, 'page'>, handover: Handover): Promise<boolean> {
  const { person, schedule, kind } = handover;
  const words = noticeOf(handover);
  for (const { channel, to } of person.contacts) {
    const page = {
      channel,
      to,
      alert: carrierOf(handover, words),
      thread: `on-call ${schedule.id} ${person.id}`,
      reason: 'handover' as const,
      cause: `the shift of ${person.id} in ${schedule.id} ${kind}`,
      words,
    };
    if (await pager.page(trx, page)) return true;
  }
  return false;
}

/** Messages tell of alerts; this one is none, and stands in no list. */
function carrierOf({ person, schedule, atMs }: Handover, { title, text }: NoticeWords): AlertView {
  return {
    ...UNHANDLED,
    id: '',
    fingerprint: '0000000000000000',
    kind: 'rule',
    rule: 'oncall_handover',
    alertname: 'OnCallHandover',
    state: 'firing',
    condition: 'firing',
    severity: 'info',
    labels: { alertname: 'OnCallHandover', severity: 'info', schedule: schedule.id, person: person.id },
    annotations: { summary: title, description: text },
    value: 0,
    active_at_ms: atMs,
    starts_at_ms: atMs,
    ends_at_ms: null,
    generator_url: null,
    service: null,
  };
}
