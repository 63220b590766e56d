import { compareLabels, type Labels } from './labels.ts';

/** An example behind a sample: an observation with labels of its own, such as the trace that it belongs to. */
export type Exemplar = { readonly labels: Labels; readonly value: number; readonly atMs: number };
/** As it was exposed: without a time where the target gives none. */
export type ExposedExemplar = Omit<Exemplar, 'atMs'> & { readonly atMs: number | undefined };
/** `series`: the series of the batch that it belongs to. */
export type BatchExemplar = Exemplar & { readonly series: number };

/** Characters of all names and values of an exemplar's labels together, as OpenMetrics limits them. */
export const MAX_EXEMPLAR_LABEL_CHARS = 128;
/** Bytes of an encoded exemplar whose labels can be within `MAX_EXEMPLAR_LABEL_CHARS`: four a character, and what stands around them. */
export const MAX_EXEMPLAR_BYTES = 2_048;

export function isOverLabelLimit(labels: Labels): boolean {
  const units = labels.reduce((sum, text) => sum + text.length, 0);
  // A character is one or two units.
  if (units <= MAX_EXEMPLAR_LABEL_CHARS || units > 2 * MAX_EXEMPLAR_LABEL_CHARS) return units > MAX_EXEMPLAR_LABEL_CHARS;
  return labels.reduce((sum, text) => sum + Array.from(text).length, 0) > MAX_EXEMPLAR_LABEL_CHARS;
}

/** By time, then value, then labels: the order in which exemplars of one series are taken. NaN comes first. */
export function compareExemplars(a: Exemplar, b: Exemplar): number {
  return a.atMs - b.atMs || compareValues(a.value, b.value) || compareLabels(a.labels, b.labels);
}

function compareValues(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : a < b ? -1 : 1;
}
