import { scopeOfLabels } from '@nines/model/scope.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { formatLabels } from '@nines/model/labels.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type AttemptDeps, type AttemptRun, untilAborted } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';
import { fulfils } from '../../written.ts';

/** Up when every series of the answer fulfils the condition. What we cannot evaluate is our fault, not the service's. */
export async function askPromql(spec: SpecOf<'promql'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  run.enter('processing');
  // The file is written by whoever runs the server; what was made in the UI sees what carries its service's labels.
  const scope = spec.trust === 'trusted' ? FULL_SCOPE : scopeOfLabels(spec.labels);
  const asked = deps.query(spec.expr, run.startedAtMs, { scope, signal: run.signal });
  const found = await untilAborted(asked, run.signal).catch((thrown: unknown) => {
    run.signal.throwIfAborted();
    return messageOf(thrown);
  });
  run.leave();
  if (typeof found === 'string') return notAsked('query', found.slice(0, 500));
  const floats = found.filter(({ histogram }) => histogram === undefined);
  if (floats.length < found.length) return notAsked('query', 'the expression gives histograms, which have no value to compare');
  const [only] = floats;
  if (only === undefined) return notAsked('no_data', 'the expression gives no series');
  if (floats.length === 1) run.figures.push({ name: 'probe_query_value', value: only.value });
  const failing = floats.filter(({ value }) => !fulfils(value, spec.condition));
  if (failing.length > 0) return down('condition', wordsOf(failing, spec.condition));
  const { degraded_unless: wanted } = spec;
  const warning = wanted === undefined ? [] : floats.filter(({ value }) => !fulfils(value, wanted));
  if (wanted !== undefined && warning.length > 0) return { kind: 'degraded', code: 'condition', detail: wordsOf(warning, wanted) };
  return judgeLength(spec.degraded_after, run.durationMs());
}

type Element = Awaited<ReturnType<AttemptDeps['query']>>[number];

function wordsOf(elements: readonly Element[], wanted: string): string {
  const [first] = elements;
  const labels = first === undefined || first.labels.length === 0 ? '' : `${formatLabels(first.labels)} `.slice(0, 300);
  const others = elements.length > 1 ? ` (and ${elements.length - 1} more series)` : '';
  return `${labels}is ${first?.value}, expected ${wanted}${others}`;
}
