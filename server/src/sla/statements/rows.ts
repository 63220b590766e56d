import { lengthInWords as duration } from '@nines/base/length-words.ts';
import type { Statement, StatementInterval } from './statement.ts';
import { exclusionWords, instant, words } from './words.ts';

/** What the printed forms of a statement tell in rows, the same in each of them. */
type Rows = readonly (readonly string[])[];

/** The window by where its time went; only what there is. */
export function bucketRows({ buckets, unknown }: Statement): readonly (readonly [name: string, ms: number])[] {
  const rows: readonly (readonly [string, number])[] = [
    ['Up', buckets.up_ms],
    ['Degraded', buckets.degraded_ms],
    ['Down', buckets.down_ms],
    ['Unknown, not yet monitored', unknown.not_yet_monitored_ms],
    ['Unknown, otherwise', buckets.unknown_ms - unknown.not_yet_monitored_ms],
    ['Excluded', buckets.excluded_ms],
    ['Out of hours', buckets.out_of_hours_ms],
  ];
  return rows.filter(([, value]) => value > 0);
}

/** The outages of the service: from, length, reason, evidence. */
export const outageRows = ({ downtimes }: Pick<Statement, 'downtimes'>): Rows =>
  downtimes.map((one) => [
    instant(one.from_at_ms),
    one.to_at_ms === null ? 'still down' : duration(one.to_at_ms - one.from_at_ms),
    `${words(one.reason)}${one.note === '' ? '' : `: ${one.note}`}`,
    one.evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; '),
  ]);

/** Time that was taken out: from, length, reason, by whom. */
export const exclusionRows = ({ exclusions }: Pick<Statement, 'exclusions'>): Rows =>
  exclusions.map((one) => [instant(one.from_at_ms), duration(one.to_at_ms - one.from_at_ms), ...exclusionWords(one)]);

/** Violations: opened, closed, severity, reason. */
export const violationRows = ({ violations }: Pick<Statement, 'violations'>): Rows =>
  violations.map((one) => [
    instant(one.opened_at_ms),
    one.closed_at_ms === null ? 'open' : instant(one.closed_at_ms),
    one.severity,
    one.reason,
  ]);

const RANK: Readonly<Record<string, number>> = { up: 0, unknown: 1, degraded: 2, down: 3 };

/** In the order of drawing: bad states last, on top of the good ones, so that a short outage is not covered by its neighbour. */
export const inDrawingOrder = (timeline: readonly StatementInterval[]): readonly StatementInterval[] =>
  timeline.toSorted((a, b) => (RANK[a.state] ?? 0) - (RANK[b.state] ?? 0));
