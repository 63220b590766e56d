import type { Matcher } from '@nines/base/matcher.ts';
import { floatsOf } from '@nines/model/float-samples.ts';
import { labelsKey } from '@nines/model/labels.ts';
import type { Queryable, SelectRange } from '@nines/model/storage.ts';
import { printVmLine } from '@nines/model/vm-lines.ts';
import type { Asking } from './service.ts';

/** Samples of one line; longer series take several lines, so that whoever reads them needs no more memory than we do. */
export const MAX_LINE_SAMPLES = 10_000;
/** Characters handed on at a time, and what is written between two turns of everybody else. */
const PIECE_CHARS = 64 * 1024;

export type Export = { readonly selectors: readonly (readonly Matcher[])[]; readonly span: SelectRange; readonly lineSamples: number };

/**
 * Every sample of the selected series as VictoriaMetrics' lines, in pieces of text; read from the store as they are taken.
 * Native histograms, which the lines cannot hold, are left out.
 */
export async function* exportLines(
  { queryable, yieldNow }: { readonly queryable: Queryable; readonly yieldNow: () => Promise<void> },
  { selectors, span, lineSamples }: Export,
  { scope, signal }: Asking,
): AsyncGenerator<string> {
  const seen = selectors.length > 1 ? new Set<string>() : undefined;
  let piece = '';
  for (const matchers of selectors) {
    for (const selected of await queryable.select(matchers, span, { scope, signal })) {
      const series = floatsOf(selected);
      // A series that several selectors mean comes once.
      const key = seen === undefined ? '' : labelsKey(series.labels);
      if (seen?.has(key) === true) continue;
      seen?.add(key);
      for (let from = 0; from < series.times.length; from += lineSamples) {
        piece += printVmLine(series, from, Math.min(from + lineSamples, series.times.length));
        if (piece.length < PIECE_CHARS) continue;
        yield piece;
        piece = '';
        await yieldNow();
        signal.throwIfAborted();
      }
    }
  }
  if (piece !== '') yield piece;
}
