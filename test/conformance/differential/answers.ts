/** Two answers of the query API beside each other. */
const RELATIVE = 1e-9;
/** Sums that cancel out leave the last bits of their terms, which are below 1 000 in most data here. */
const ABSOLUTE = 1e-12;

type Point = readonly [atSeconds: number, value: string];
type HistogramPoint = readonly [atSeconds: number, histogram: unknown];
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: HistogramPoint;
  readonly histograms?: readonly HistogramPoint[];
};
export type Answer = {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly data?: { readonly resultType: string; readonly result: readonly Series[] | Point };
};

/** By POST, so that long expressions pass. */
export async function ask(base: string, path: string, params: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`${base}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params) });
  return (await response.json()) as Answer;
}

function isSame(ours: string, theirs: string): boolean {
  const [a, b] = [Number(ours.replace('Inf', 'Infinity')), Number(theirs.replace('Inf', 'Infinity'))];
  return Object.is(a, b) || a === b || Math.abs(a - b) <= Math.max(ABSOLUTE, RELATIVE * Math.max(Math.abs(a), Math.abs(b)));
}

const keyOf = (series: Series): string => JSON.stringify(Object.entries(series.metric).sort(([a], [b]) => (a < b ? -1 : 1)));
const pointsOf = (series: Series): readonly Point[] => series.values ?? (series.value === undefined ? [] : [series.value]);
const histogramsOf = (series: Series): readonly HistogramPoint[] =>
  series.histograms ?? (series.histogram === undefined ? [] : [series.histogram]);

function pointDifference(ours: readonly Point[], theirs: readonly Point[]): string | undefined {
  if (ours.length !== theirs.length) return `${ours.length} points against ${theirs.length}`;
  for (const [i, [at, value]] of ours.entries()) {
    const [otherAt, otherValue] = theirs[i] ?? [Number.NaN, ''];
    if (at !== otherAt || !isSame(value, otherValue)) return `${value} at ${at} against ${otherValue} at ${otherAt}`;
  }
  return undefined;
}

/** Numbers within tolerance wherever they stand in the two structures. */
function structureDifference(ours: unknown, theirs: unknown): string | undefined {
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length)
    return ours.map((each: unknown, i) => structureDifference(each, theirs[i])).find((each) => each !== undefined);
  if (typeof ours === 'object' && typeof theirs === 'object' && ours !== null && theirs !== null && !Array.isArray(ours)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys]
      .map((key) => structureDifference((ours as Record<string, unknown>)[key], (theirs as Record<string, unknown>)[key]))
      .find((each) => each !== undefined);
  }
  if (ours === theirs || (typeof ours === 'string' && typeof theirs === 'string' && isSame(ours, theirs))) return undefined;
  return `${JSON.stringify(ours)} against ${JSON.stringify(theirs)}`;
}

function seriesDifference(ours: readonly Series[], theirs: readonly Series[]): string | undefined {
  const [mine, other] = [new Map(ours.map((each) => [keyOf(each), each])), new Map(theirs.map((each) => [keyOf(each), each]))];
  if (mine.size !== ours.length) return 'a label set comes twice in ours';
  for (const key of new Set([...mine.keys(), ...other.keys()])) {
    const [a, b] = [mine.get(key), other.get(key)];
    if (a === undefined || b === undefined) return `${key} is only in ${a === undefined ? 'theirs' : 'ours'}`;
    const found = pointDifference(pointsOf(a), pointsOf(b)) ?? structureDifference(histogramsOf(a), histogramsOf(b));
    if (found !== undefined) return `${key}: ${found}`;
  }
  return undefined;
}

/** Undefined when the answers agree in status, error type, result type, series and values, otherwise the first difference. */
export function difference(ours: Answer, theirs: Answer): string | undefined {
  if (ours.status !== theirs.status || ours.errorType !== theirs.errorType)
    return `${ours.status} ${ours.errorType ?? ''} (${ours.error ?? ''}) against ${theirs.status} ${theirs.errorType ?? ''} (${theirs.error ?? ''})`;
  if (ours.data === undefined || theirs.data === undefined) return undefined;
  if (ours.data.resultType !== theirs.data.resultType) return `${ours.data.resultType} against ${theirs.data.resultType}`;
  if (ours.data.resultType === 'scalar') return pointDifference([ours.data.result as Point], [theirs.data.result as Point]);
  if (ours.data.resultType === 'string') return structureDifference(ours.data.result, theirs.data.result);
  return seriesDifference(ours.data.result as readonly Series[], theirs.data.result as readonly Series[]);
}

/** The values of an instant vector in the order of the answer. */
export const valuesInOrder = ({ data }: Answer): readonly Point[] =>
  ((data?.result ?? []) as readonly Series[]).flatMap(({ value }) => (value === undefined ? [] : [[0, value[1]] as const]));
export const orderDifference = (ours: Answer, theirs: Answer): string | undefined =>
  pointDifference(valuesInOrder(ours), valuesInOrder(theirs));
