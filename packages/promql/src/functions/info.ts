import { type Matcher, mustMatcher } from '@nines/base/matcher.ts';
import { type Labels, METRIC_NAME, formatLabels, labelPairs, labelValue, labelsFrom } from '@nines/model/labels.ts';
import { type At, type Call, type Expr, type Length, type VectorSelector, childrenOf, unwrap } from '../ast.ts';
import { type Context, collect, holdSamples, lengthMs, metricName, noteRepeat } from '../context.ts';
import { PromqlFailure } from '../promql-error.ts';
import { type Row, type Sink, isPresent } from '../row.ts';
import { lookUpSeries, newLookUp, walkSeries } from '../select.ts';

/**
 * `info(v, {matchers})`: adds the labels of info metrics (`target_info` unless the matchers name others) of the same `instance`
 * and `job`. Of several series of one info metric the one with the newest sample counts, at each step anew.
 */
const IDENTIFYING = ['instance', 'job'] as const;

type InfoSeries = { readonly name: string; readonly labels: Labels; readonly times: Float64Array; readonly has: Uint8Array };

export async function info(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [arg, labelArg] = call.args;
  if (arg === undefined) return;
  const selector = labelArg === undefined ? undefined : unwrap(labelArg);
  const written = selector?.kind === 'selector' ? selector.matchers : [];
  const names = nameMatchers(written);
  const data = written.filter((each) => each.name !== METRIC_NAME);
  const base = await collect(arg, ctx);
  const found = await infoSeries([...names, ...data], arg, ctx);
  const wanted = data.length === 0 ? undefined : new Set(data.map((each) => each.name));
  const mayStayBare = data.every((each) => each.matches(''));
  for (const row of base) {
    if (names.every((each) => each.matches(metricName(row.labels)))) sink.row(row);
    else enrich(row, found.get(identityOf(row.labels)) ?? [], { ctx, sink, wanted, mayStayBare });
  }
}

/** Which metrics are info metrics. Exclusions alone exclude from everything that ends in `_info`. */
function nameMatchers(written: readonly Matcher[]): readonly Matcher[] {
  const own = written.filter((each) => each.name === METRIC_NAME);
  if (own.length === 0) return [mustMatcher(METRIC_NAME, '=', 'target_info')];
  return own.some((each) => each.op === '=' || each.op === '=~') ? own : [mustMatcher(METRIC_NAME, '=~', '.+_info'), ...own];
}

const identityOf = (labels: Labels): string => IDENTIFYING.map((name) => labelValue(labels, name)).join('\u0000');

async function infoSeries(matchers: readonly Matcher[], arg: Expr, ctx: Context): Promise<ReadonlyMap<string, readonly InfoSeries[]>> {
  const { lookbackMs } = ctx.query;
  const { count } = ctx.grid;
  const instants = instantsAsOf(arg, ctx);
  const wanted = newLookUp(instants, lookbackMs, true);
  const selector: VectorSelector = { kind: 'selector', name: undefined, matchers, position: arg.position };
  const found = new Map<string, InfoSeries[]>();
  await walkSeries(selector, ctx, {
    after: (instants[0] ?? 0) - lookbackMs,
    until: instants[count - 1] ?? 0,
    visit: (series) => {
      if (series.histograms !== undefined)
        throw new PromqlFailure('execution', `this should be an info metric, with float samples: ${formatLabels(series.labels)}`);
      const times = new Float64Array(count);
      const has = new Uint8Array(count);
      if (lookUpSeries(series, wanted, times, has) === 0) return;
      holdSamples(ctx.query, count);
      const identity = identityOf(series.labels);
      const known = found.get(identity);
      const one = { name: metricName(series.labels), labels: series.labels, times, has };
      if (known === undefined) found.set(identity, [one]);
      else known.push(one);
    },
  });
  return found;
}

/** The instants that the first selector of `expr` looks at, so that `@` and `offset` move the info series along. */
function instantsAsOf(expr: Expr, ctx: Context): Float64Array {
  const { grid, query } = ctx;
  const instants = Float64Array.from({ length: grid.count }, (_, i) => grid.startMs + i * grid.stepMs);
  const move = ({ at, offset }: { readonly at?: At; readonly offset?: Length }): void => {
    const pinned = at === undefined ? undefined : at.kind === 'instant' ? at.atMs : at.kind === 'start' ? query.startMs : query.endMs;
    const shift = offset === undefined ? 0 : lengthMs(offset, query);
    instants.forEach((instant, i) => (instants[i] = (pinned ?? instant) - shift));
  };
  for (let at: Expr | undefined = expr; at !== undefined; at = childrenOf(at).find(readsSeries))
    if (at.kind === 'selector' || at.kind === 'subquery') move(at);
  return instants;
}

const readsSeries = (expr: Expr): boolean => expr.kind === 'selector' || childrenOf(expr).some(readsSeries);

type Enrichment = {
  readonly ctx: Context;
  readonly sink: Sink;
  readonly wanted: ReadonlySet<string> | undefined;
  readonly mayStayBare: boolean;
};

/** One row per set of info series that the row meets over its steps. */
function enrich(row: Row, candidates: readonly InfoSeries[], { ctx, sink, wanted, mayStayBare }: Enrichment): void {
  const parts = new Map<string, { readonly chosen: readonly InfoSeries[]; readonly has: Uint8Array }>();
  for (let i = 0; i < row.values.length; i++) {
    if (!isPresent(row, i)) continue;
    const chosen = newest(candidates, i);
    if (chosen.length === 0 && !mayStayBare) continue;
    const key = chosen.map((each) => candidates.indexOf(each)).join(' ');
    let part = parts.get(key);
    if (part === undefined) parts.set(key, (part = { chosen, has: new Uint8Array(row.values.length) }));
    part.has[i] = 1;
  }
  if (parts.size > 1) noteRepeat(ctx.query);
  for (const { chosen, has } of parts.values()) {
    const labels = enriched(row.labels, chosen, wanted);
    // Each part owns its values: a sink may keep or change them.
    sink.row({ labels, dropName: row.dropName, values: row.values.slice(), has: has.includes(0) ? has : null });
  }
}

/** Per info metric the series with the newest sample at a step. */
function newest(candidates: readonly InfoSeries[], step: number): readonly InfoSeries[] {
  const best = new Map<string, InfoSeries>();
  for (const series of candidates) {
    if (series.has[step] !== 1) continue;
    const other = best.get(series.name);
    const order = other === undefined ? 1 : (series.times[step] as number) - (other.times[step] as number);
    if (order === 0) throw new PromqlFailure('execution', `found duplicate series for info metric "${series.name}"`);
    if (order > 0) best.set(series.name, series);
  }
  return [...best.values()];
}

function enriched(labels: Labels, chosen: readonly InfoSeries[], wanted: ReadonlySet<string> | undefined): Labels {
  const added = new Map<string, string>();
  for (const series of chosen)
    for (const [name, value] of labelPairs(series.labels)) {
      if (name === METRIC_NAME || IDENTIFYING.some((each) => each === name) || (wanted !== undefined && !wanted.has(name))) continue;
      if (labelValue(labels, name) !== '') continue;
      const other = added.get(name);
      if (other !== undefined && other !== value) throw new PromqlFailure('execution', `conflicting label: ${name}`);
      added.set(name, value);
    }
  return added.size === 0 ? labels : labelsFrom([...labelPairs(labels), ...added]);
}
