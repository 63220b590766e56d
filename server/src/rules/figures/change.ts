import { labelsKey } from '@nines/model/labels.ts';
import { type Figure, type FigureReading, type Input, inWords, lengthInWords } from './figure.ts';

export type ChangeSpec = { readonly overMs: number; readonly as: 'absolute' | 'percent' | 'per_second' };

/** How much a value changed against the same series `overMs` ago. A series that was not there then is undecided. */
export function changeFigure(input: Input, { overMs, as }: ChangeSpec): Figure {
  const unit = { absolute: '', percent: ' %', per_second: ' per second' }[as];
  const changeOf = (now: number, before: number): number => {
    const change = now - before;
    if (as === 'absolute') return change;
    // From nothing there is no percentage.
    return as === 'per_second' ? change / (overMs / 1000) : before === 0 ? Number.NaN : (100 * change) / Math.abs(before);
  };
  return {
    inputs: [input, { ...input, offsetMs: input.offsetMs + overMs }],
    read([now = [], before = []]) {
      const past = new Map(before.map(({ labels, value }) => [labelsKey(labels), value]));
      return now.map(({ labels, value }): FigureReading => {
        const change = changeOf(value, past.get(labelsKey(labels)) ?? Number.NaN);
        if (Number.isNaN(change)) return { labels, value: Number.NaN, undecided: true };
        return {
          labels,
          value: change,
          words: ({ condition, threshold }) =>
            `${input.metric} changed by ${inWords(change)}${unit} within ${lengthInWords(overMs)} to ${inWords(value)}, limit ${condition} ${threshold}${unit}`,
        };
      });
    },
  };
}
