import { type Result, err, ok } from '@nines/base/result.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { sortInTurns } from '@nines/base/sort.ts';
import { type Labels, compareLabels, labelPairs, labelsFrom } from '@nines/model/labels.ts';
import {
  type AskedQuery,
  type AskedRead,
  StreamedSeriesEncoder,
  encodeReadResponse,
  encodeSampleSeries,
} from '@nines/model/prometheus/remote-read-server.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { floatsOf } from '@nines/model/float-samples.ts';
import { bitsOf } from '@nines/model/stale.ts';
import type { Queryable, SelectOptions, SeriesColumns } from '@nines/model/storage.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';

/** Prometheus' remote read: the raw samples of selected series, staleness markers included; native histograms are left out. */

/** A request, compressed and decoded alike: a few selectors. */
export const MAX_READ_REQUEST_BYTES = 1024 * 1024;
/** Queries of one request; Prometheus sends one. */
export const MAX_READ_QUERIES = 64;
/**
 * What one answer may hold. Series come sorted, so all of them are encoded before the first is sent: a streamed answer holds
 * 100 million samples and more in this, an answer of plain samples 4 million.
 */
export const MAX_READ_BYTES = { streamed: 256 * 1024 * 1024, samples: 64 * 1024 * 1024 } as const;

export type ReadError = { readonly type: 'bad_data'; readonly message: string };
/** The body in order, and whether it is one compressed message. */
export type ReadAnswer = { readonly form: AskedRead['form']; readonly pieces: readonly Uint8Array[] };

/** A read with the external labels that are to be added where they are missing. */
export type LabelledRead = AskedRead & { readonly externalLabels: Readonly<Record<string, string>> };

type Options = Pick<SelectOptions, 'scope' | 'signal' | 'yieldNow'>;
type Encoded = { readonly labels: Labels; readonly bytes: Uint8Array };

export async function readSamples(
  queryable: Queryable,
  { queries, form, externalLabels }: LabelledRead,
  options: Options,
): Promise<Result<ReadAnswer, ReadError>> {
  if (queries.length > MAX_READ_QUERIES)
    return err({ type: 'bad_data', message: `${queries.length} queries in one request; at most ${MAX_READ_QUERIES} are answered` });
  const results: Uint8Array[][] = [];
  let left: number = MAX_READ_BYTES[form];
  const hasExternal = Object.keys(externalLabels).length > 0;
  for (const [index, query] of queries.entries()) {
    const encoded: Encoded[] = [];
    const encode = form === 'streamed' ? streamed(index) : plain;
    for (const series of await selection(queryable, withoutExternal(query, externalLabels), options)) {
      const floats = floatsOf(series);
      if (floats.times.length === 0) continue;
      const labels = hasExternal ? labelsFrom([...Object.entries(externalLabels), ...labelPairs(series.labels)]) : series.labels;
      const bytes = encode(encodeLabels(labels), { times: floats.times, bits: bitsOf(floats.values) });
      left -= bytes.length;
      if (left < 0)
        return err({
          type: 'bad_data',
          message: `the answer would be over ${MAX_READ_BYTES[form]} bytes; ask for less time or fewer series`,
        });
      encoded.push({ labels, bytes });
      const turn = options.yieldNow?.();
      if (turn !== undefined) await turn;
      options.signal?.throwIfAborted();
    }
    const sorted = await sortInTurns(
      encoded,
      (a, b) => compareLabels(a.labels, b.labels),
      () => options.yieldNow?.(),
    );
    results.push(sorted.map(({ bytes }) => bytes));
  }
  return ok({ form, pieces: form === 'streamed' ? results.flat() : [encodeSnappy(encodeReadResponse(results))] });
}

type Encode = (labels: Uint8Array, samples: { readonly times: Float64Array; readonly bits: Uint32Array }) => Uint8Array;

const plain: Encode = (labels, samples) => encodeSampleSeries(labels, samples);

function streamed(queryIndex: number): Encode {
  const encoder = new StreamedSeriesEncoder();
  return (labels, samples) => encoder.encode(labels, samples, queryIndex);
}

/** Series are stored without external labels: asking for one by its value asks for all series. Source: prometheus storage/remote/read_handler.go. */
function withoutExternal(query: AskedQuery, externalLabels: LabelledRead['externalLabels']): AskedQuery {
  const isOurs = ({ op, name, value }: Matcher): boolean => op === '=' && value !== '' && externalLabels[name] === value;
  return { ...query, matchers: query.matchers.filter((one) => !isOurs(one)) };
}

/** Nothing for a range that ends before it begins. */
async function selection(queryable: Queryable, { matchers, fromMs, toMs }: AskedQuery, options: Options): Promise<Iterable<SeriesColumns>> {
  return fromMs > toMs ? [] : queryable.select(matchers, { fromMs, toMs }, { ...options, reuse: true });
}
