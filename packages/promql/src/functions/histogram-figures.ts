import type { Histogram } from '@nines/model/histogram.ts';
import { histogramVariance } from '@nines/model/histogram-figures.ts';
import type { Call } from '../ast.ts';
import { type Context, hasUniformName, nameDropper } from '../context.ts';
import type { Sink } from '../row.ts';

/** Functions that read one figure out of native histograms; floats have none and are left out. */
const FIGURES: ReadonlyMap<string, (h: Histogram) => number> = new Map<string, (h: Histogram) => number>([
  ['histogram_avg', (h) => h.sum / h.count],
  ['histogram_count', (h) => h.count],
  ['histogram_sum', (h) => h.sum],
  ['histogram_stddev', (h) => Math.sqrt(histogramVariance(h))],
  ['histogram_stdvar', histogramVariance],
]);

export async function histogramFigure(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [arg] = call.args;
  const figure = FIGURES.get(call.func);
  if (arg === undefined || figure === undefined) throw new Error(`BUG: ${call.func} reads no figure of a histogram`);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: false,
    row: () => undefined,
    histograms: ({ labels, dropName, histograms }) => {
      const has = Uint8Array.from(histograms, (each) => (each === undefined ? 0 : 1));
      const values = Float64Array.from(histograms, (each) => (each === undefined ? Number.NaN : figure(each)));
      drop({ labels, dropName, values, has: has.includes(0) ? has : null });
    },
  });
}
