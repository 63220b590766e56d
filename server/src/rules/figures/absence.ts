import { type Labels, labelsKey } from '@nines/model/labels.ts';
import { type Figure, type FigureReading, type Input, MAX_REMEMBERED_SERIES, lengthInWords } from './figure.ts';

export type AbsenceSpec = {
  readonly afterMs: number;
  /** A series that has been silent for this long is gone for good. */
  readonly forgetMs: number;
  /** What a selector asks for by `=`: the alert when no such series was ever there. */
  readonly wanted: Labels;
};

/** How often the past is asked for samples, which is how far back an instant looks. */
const STEP_MS = 5 * 60_000;

/**
 * How many seconds each series is silent, or all of them when none was ever there. The values of `input` are the instants of the
 * newest samples, in seconds. Time in which this process did not run says nothing about anybody's silence.
 */
export function absenceFigure(input: Input, { afterMs, forgetMs, wanted }: AbsenceSpec): Figure {
  const newest = new Map<string, { readonly labels: Labels; atMs: number }>();
  const note = (labels: Labels, atMs: number): void => {
    const key = labelsKey(labels);
    const known = newest.get(key);
    if (known !== undefined) known.atMs = Math.max(known.atMs, atMs);
    else if (newest.size < MAX_REMEMBERED_SERIES) newest.set(key, { labels, atMs });
    else throw new Error(`more than ${MAX_REMEMBERED_SERIES} series, whose absence cannot be noticed: select fewer`);
  };
  let listeningSinceMs: number | undefined;
  return {
    inputs: [input],
    warmUp: { lengthMs: forgetMs, stepMs: STEP_MS },
    read([vector = []], { atMs, startedAtMs, isFiring }) {
      for (const { labels, value } of vector) note(labels, value * 1000);
      for (const [key, series] of newest) if (atMs - series.atMs >= forgetMs) newest.delete(key);
      listeningSinceMs = startedAtMs;
      const silent = newest.size > 0 ? [...newest.values()] : [{ labels: wanted, atMs: Number.NEGATIVE_INFINITY }];
      return silent.map(({ labels, atMs: lastMs }): FigureReading => {
        const silentMs = Math.max(0, atMs - Math.max(lastMs, startedAtMs));
        // Before a restart it may have been silent long enough; after it nothing is known yet.
        if (lastMs < startedAtMs && silentMs < afterMs && isFiring(labels)) return { labels, value: Number.NaN, undecided: true };
        const since = Number.isFinite(lastMs) ? ` for ${lengthInWords(atMs - lastMs)}` : '';
        return { labels, value: silentMs / 1000, words: () => `No sample of ${input.metric}${since}` };
      });
    },
    nextAtMs(afterInstantMs) {
      // Whoever was never asked has not looked into the past yet.
      if (listeningSinceMs === undefined) return afterInstantMs + 1;
      const sinceMs = listeningSinceMs;
      const heard = newest.size > 0 ? [...newest.values()].map(({ atMs }) => Math.max(atMs, sinceMs)) : [sinceMs];
      const due = [...heard.map((atMs) => atMs + afterMs), ...[...newest.values()].map(({ atMs }) => atMs + forgetMs)];
      const next = Math.min(...due.filter((dueMs) => dueMs > afterInstantMs));
      return Number.isFinite(next) ? next : null;
    },
  };
}
