import { isoText } from '@nines/base/iso-text.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { ViolationView } from '../sla/contract.ts';
import { type Row, type Table } from './rows.ts';

const COLUMNS = [
  'id',
  'sla',
  'service',
  'kind',
  'severity',
  'opened',
  'closed',
  'long_ms',
  'short_ms',
  'factor',
  'attained',
  'spent_ms',
  'total_ms',
  'contract_version',
  'reason',
] as const;

/** Gives violations a few thousand at a time, ascending by SLA and opening. */
export type ViolationSource = (filter: {
  readonly slas: readonly string[];
  readonly span: Span;
}) => AsyncIterable<readonly ViolationView[]>;

/** The violations that were open at some time of a span. */
export const violationTable = (source: ViolationSource, slas: readonly string[], span: Span): Table => ({
  columns: COLUMNS,
  batches: batches(source({ slas, span })),
});

async function* batches(pages: AsyncIterable<readonly ViolationView[]>): AsyncGenerator<readonly Row[]> {
  for await (const page of pages) yield page.map(rowOf);
}

const rowOf = (one: ViolationView): Row => [
  one.id,
  one.sla,
  one.service,
  one.kind,
  one.severity,
  isoText(one.opened_at_ms),
  one.closed_at_ms === null ? null : isoText(one.closed_at_ms),
  one.pair?.long_ms ?? null,
  one.pair?.short_ms ?? null,
  one.pair?.factor ?? null,
  one.figures.attained,
  one.figures.spent_ms,
  one.figures.total_ms,
  one.contract_version,
  one.reason,
];
