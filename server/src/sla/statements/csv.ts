import { csvText } from '@nines/base/csv.ts';
import type { Statement } from './statement.ts';

const COLUMNS = ['from', 'to', 'length_ms', 'state', 'reason', 'earliest_from', 'latest_from', 'evidence'] as const;

/** The statement's timeline as CSV (RFC 4180), one interval per row; the figures are in the other forms. */
export function statementCsv(statement: Statement): string {
  const rows = statement.timeline.map((interval) => [
    new Date(interval.from_at_ms).toISOString(),
    new Date(interval.to_at_ms).toISOString(),
    String(interval.to_at_ms - interval.from_at_ms),
    interval.state,
    interval.unknown_reason ?? '',
    ...(interval.from_bounds_at_ms ?? []).map((at) => new Date(at).toISOString()),
    ...(interval.from_bounds_at_ms === null ? ['', ''] : []),
    interval.evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; '),
  ]);
  return csvText([COLUMNS, ...rows]);
}
