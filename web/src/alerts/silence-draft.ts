/** A silence as a form holds it, and the matchers that are proposed for alerts. Pure. */
import type { SilenceView, WrittenMatcher, WrittenSilence } from '../api/alerts.ts';
import type { AlertView } from '../api/wire.ts';
import { instantOf, localTime } from '../figures/local-time.ts';

export type SilenceDraft = {
  readonly id: string | undefined;
  readonly matchers: readonly WrittenMatcher[];
  /** '' is now. */
  readonly from: string;
  readonly to: string;
  readonly comment: string;
};

const HOUR_MS = 3_600_000;

/** Labels that change from one firing to the next, or say how bad it is, name no problem. */
const NOT_PROPOSED: ReadonlySet<string> = new Set(['severity']);
/** What the server cut is no whole value: it would match nothing. */
const CUT = /… \(\d+ characters\)$/;
/** Distinct values of one label that still make one matcher. */
const MOST_VALUES = 10;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, (sign) => `\\${sign}`);

/** What all of these alerts have in common; a label of which they have a few values matches each of those. */
export function proposedMatchers(alerts: readonly AlertView[]): readonly WrittenMatcher[] {
  const [first] = alerts;
  if (first === undefined) return [];
  return Object.keys(first.labels).flatMap((name): readonly WrittenMatcher[] => {
    const values = [...new Set(alerts.map(({ labels }) => labels[name] ?? ''))];
    if (NOT_PROPOSED.has(name) || values.some((value) => value === '' || CUT.test(value)) || values.length > MOST_VALUES) return [];
    const [only = ''] = values;
    return values.length === 1 ? [{ name, op: '=', value: only }] : [{ name, op: '=~', value: values.map(escaped).join('|') }];
  });
}

export const draftForAlerts = (alerts: readonly AlertView[], nowMs: number): SilenceDraft => ({
  id: undefined,
  matchers: proposedMatchers(alerts),
  from: '',
  to: localTime(nowMs + 2 * HOUR_MS, 'minute'),
  comment: '',
});

export const emptyDraft = (nowMs: number): SilenceDraft => ({ ...draftForAlerts([], nowMs), matchers: [{ name: '', op: '=', value: '' }] });

/** A silence to be changed; one that has ended is made again, for the next two hours. */
export function draftOf(
  { id, state, matchers, starts_at_ms: startsAtMs, ends_at_ms: endsAtMs, comment }: SilenceView,
  nowMs: number,
): SilenceDraft {
  if (state === 'expired') return { ...draftForAlerts([], nowMs), matchers, comment };
  return { id, matchers, from: localTime(startsAtMs, 'minute'), to: localTime(endsAtMs, 'minute'), comment };
}

/** What is sent; undefined while something is missing. `before` keeps a start that was not touched to the millisecond. */
export function writtenOf(draft: SilenceDraft, before: SilenceView | undefined): WrittenSilence | undefined {
  const matchers = draft.matchers.filter(({ name }) => name.trim() !== '');
  const endsAtMs = instantOf(draft.to);
  const startsAtMs = draft.from === '' ? undefined : instantOf(draft.from);
  if (matchers.length === 0 || endsAtMs === undefined || draft.comment.trim() === '') return undefined;
  if (draft.from !== '' && startsAtMs === undefined) return undefined;
  const untouched = before !== undefined && draft.from === localTime(before.starts_at_ms, 'minute');
  const start = untouched ? before.starts_at_ms : startsAtMs;
  return { matchers, ends_at_ms: endsAtMs, comment: draft.comment, ...(start === undefined ? {} : { starts_at_ms: start }) };
}
