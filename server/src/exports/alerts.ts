import { isoText } from '@nines/base/iso-text.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Row, Table } from './rows.ts';

const COLUMNS = [
  'id',
  'alert',
  'rule',
  'kind',
  'severity',
  'state',
  'service',
  'labels',
  'began',
  'ended',
  'acknowledged_by',
  'acknowledged',
  'assigned_to',
  'problem',
  'summary',
] as const;
const PAGE = 1_000;

/** Gives alerts that were open at some time of a span, newest first, a page at a time. */
export type AlertSource = (
  span: Span,
  page: { readonly cursor: string | undefined; readonly limit: number },
) => Promise<{ readonly items: readonly AlertView[]; readonly next: string | null }>;

/** The alerts that were open at some time of a span, of those that `source` gives. */
export const alertTable = (source: AlertSource, span: Span): Table => ({ columns: COLUMNS, batches: batches(source, span) });

async function* batches(source: AlertSource, span: Span): AsyncGenerator<readonly Row[]> {
  let cursor: string | undefined;
  do {
    const { items, next } = await source(span, { cursor, limit: PAGE });
    yield items.map(rowOf);
    cursor = next ?? undefined;
  } while (cursor !== undefined);
}

const rowOf = (one: AlertView): Row => [
  one.id,
  one.alertname,
  one.rule,
  one.kind,
  one.severity,
  one.state,
  one.service,
  JSON.stringify(one.labels),
  isoText(one.starts_at_ms),
  one.ends_at_ms === null ? null : isoText(one.ends_at_ms),
  one.acknowledged_by,
  one.acknowledged_at_ms === null ? null : isoText(one.acknowledged_at_ms),
  one.assigned_to,
  one.problem,
  one.annotations['summary'] ?? null,
];
