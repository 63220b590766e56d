import type { EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { mappedBy, type OtherResult, spansOfResults } from './results.ts';
import type { ReadRow, ReadRows, Refusal } from './contract.ts';

const answer = z.looseObject({
  data: z.looseObject({
    resultType: z.literal('matrix'),
    result: z.array(z.looseObject({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
});
type Options = { readonly services: Readonly<Record<string, string>>; readonly intervalMs: number | undefined };

/** Labels by which a series may be told to a service, the most telling first. */
const TELLING = ['service', 'instance', 'target', 'job'] as const;

/** Reads the samples of `probe_success` as Prometheus answers them. A series is a service by its label `service`, or as `services` says of a label's value. */
export function readProbeSuccess(text: string, { services, intervalMs }: Options): ReadRows {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return { rows: [], refused: [{ row: 1, message: `not JSON: ${String(thrown)}` }] };
  }
  const parsed = answer.safeParse(value);
  if (!parsed.success) {
    return {
      rows: [],
      refused: [
        { row: 1, message: 'not an answer of Prometheus with samples: ask query_range, or query with a range such as probe_success[30d]' },
      ],
    };
  }
  const mapped = mappedBy(services);
  const rows: (readonly ReadRow[])[] = [];
  const refused: Refusal[] = [];
  parsed.data.data.result.forEach(({ metric, values }, i) => {
    const told = TELLING.map((label) => metric[label]).find((one) => one !== undefined && mapped(one) !== undefined);
    const service = told === undefined ? metric['service'] : mapped(told);
    const name = TELLING.flatMap((label) => (metric[label] === undefined ? [] : `${label}="${metric[label]}"`)).join(', ');
    if (service === undefined) {
      refused.push({ row: i + 1, message: `which service is the series {${name}}? Name it by its instance` });
      return;
    }
    const detail = `probe_success{${name}}`;
    const seen = values.map(
      ([seconds, sample]): OtherResult => ({
        row: i + 1,
        atMs: Math.round(seconds * 1000) as EpochMs,
        seen: sample === '1' ? 'up' : sample === '0' ? 'down' : 'none',
        detail,
      }),
    );
    rows.push(spansOfResults(service, seen, intervalMs));
  });
  return { rows: rows.flat(), refused };
}
