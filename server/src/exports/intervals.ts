import { isoText } from '@nines/base/iso-text.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import type { Ledger } from '../availability/contract.ts';
import { type Row, type Table, inPieces } from './rows.ts';

const COLUMNS = ['service', 'from', 'to', 'length_ms', 'state', 'reason', 'earliest_from', 'latest_from', 'evidence'] as const;

export type IntervalSource = Pick<Ledger, 'timeline' | 'monitoredSinceMs'>;

/** The ledger's intervals of services within a span: for each a partition of it, by service and time. */
export const intervalTable = (ledger: IntervalSource, services: readonly string[], span: Span): Table => ({
  columns: COLUMNS,
  batches: batches(ledger, services, span),
});

async function* batches(ledger: IntervalSource, services: readonly string[], span: Span): AsyncGenerator<readonly Row[]> {
  for (const service of services) {
    const sinceMs = await ledger.monitoredSinceMs(service);
    const fromMs = (sinceMs === null ? span.toMs : Math.min(span.toMs, Math.max(span.fromMs, sinceMs))) as EpochMs;
    // An interval that goes on in the next piece is told when it is whole.
    let last: LedgerInterval | undefined =
      fromMs > span.fromMs ? { fromMs: span.fromMs, toMs: fromMs, state: 'unknown', unknownReason: 'not_yet_monitored' } : undefined;
    const read = async (piece: Span) => (await ledger.timeline(service, piece.fromMs, piece.toMs)).intervals;
    for await (const intervals of inPieces({ fromMs, toMs: span.toMs }, read)) {
      const rows: Row[] = [];
      for (const interval of intervals) {
        if (last !== undefined && last.state === interval.state && last.unknownReason === interval.unknownReason)
          last = { ...last, toMs: interval.toMs };
        else {
          if (last !== undefined) rows.push(rowOf(service, last));
          last = interval;
        }
      }
      yield rows;
    }
    if (last !== undefined) yield [rowOf(service, last)];
  }
}

const rowOf = (service: string, { fromMs, toMs, state, unknownReason, fromBounds, evidence }: LedgerInterval): Row => [
  service,
  isoText(fromMs),
  isoText(toMs),
  toMs - fromMs,
  state,
  unknownReason ?? null,
  fromBounds === undefined ? null : isoText(fromBounds[0]),
  fromBounds === undefined ? null : isoText(fromBounds[1]),
  (evidence ?? []).map(({ check, detail }) => `${check}: ${detail}`).join('; '),
];
