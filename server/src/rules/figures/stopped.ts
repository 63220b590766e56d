import { formatLabels, labelsKey, withLabels } from '@nines/model/labels.ts';
import { type Figure, type FigureReading, type Input, MAX_REMEMBERED_SERIES } from './figure.ts';

/** A control that has passed within this time can stop passing. */
const LENGTH_MS = 30 * 86_400_000;
const STEP_MS = 6 * 3_600_000;

/**
 * 1 for what passed before and passes no more, 0 for what passes (any value above 0). What has never passed is
 * undecided: it is unproven, which is no event.
 */
export function stoppedFigure(input: Input): Figure {
  const passed = new Set<string>();
  return {
    inputs: [input],
    warmUp: { lengthMs: LENGTH_MS, stepMs: STEP_MS },
    read([vector = []], { isFiring }) {
      return vector.map(({ labels, value }): FigureReading => {
        const key = labelsKey(labels);
        const passes = value > 0;
        if (passes && passed.size < MAX_REMEMBERED_SERIES) passed.add(key);
        const isKnown = passes || passed.has(key) || isFiring(labels);
        if (!isKnown || Number.isNaN(value)) return { labels, value: Number.NaN, undecided: true };
        return { labels, value: Number(!passes), words: () => `Stopped passing: ${formatLabels(withLabels(labels, { metric: '' }))}` };
      });
    },
  };
}
