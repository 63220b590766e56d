import type { ValueType } from './ast.ts';

/** What each function takes and gives. The implementations live in `functions/`; this table is all the parser needs. */
export type Signature = {
  readonly args: readonly ValueType[];
  /** How many further arguments of the last type may follow; -1 means any number. Optional ones count as further. */
  readonly more: number;
  readonly returns: ValueType;
  readonly experimental: boolean;
};

const TYPES: Readonly<Record<string, ValueType>> = { s: 'scalar', v: 'vector', m: 'matrix', t: 'string' };

/** `m>v`: a range vector to an instant vector; `v?>v`: optional; `vt*>v`: any number of the last, `vs?`: the last may be left out. */
function signature(shape: string, experimental: boolean): Signature {
  const [left = '', right = 'v'] = shape.split('>');
  const mark = left.at(-1);
  const letters = left.replace(/[?*]$/, '').split('');
  return {
    args: letters.map((letter) => TYPES[letter] ?? 'vector'),
    more: mark === '*' ? -1 : mark === '?' ? 1 : 0,
    returns: TYPES[right] ?? 'vector',
    experimental,
  };
}

const STABLE: Readonly<Record<string, string>> = {
  abs: 'v>v',
  absent: 'v>v',
  absent_over_time: 'm>v',
  acos: 'v>v',
  acosh: 'v>v',
  asin: 'v>v',
  asinh: 'v>v',
  atan: 'v>v',
  atanh: 'v>v',
  avg_over_time: 'm>v',
  ceil: 'v>v',
  changes: 'm>v',
  clamp: 'vss>v',
  clamp_max: 'vs>v',
  clamp_min: 'vs>v',
  cos: 'v>v',
  cosh: 'v>v',
  count_over_time: 'm>v',
  day_of_month: 'v?>v',
  day_of_week: 'v?>v',
  day_of_year: 'v?>v',
  days_in_month: 'v?>v',
  deg: 'v>v',
  delta: 'm>v',
  deriv: 'm>v',
  exp: 'v>v',
  first_over_time: 'm>v',
  floor: 'v>v',
  histogram_avg: 'v>v',
  histogram_count: 'v>v',
  histogram_quantile: 'sv>v',
  histogram_stddev: 'v>v',
  histogram_stdvar: 'v>v',
  histogram_sum: 'v>v',
  histogram_fraction: 'ssv>v',
  hour: 'v?>v',
  idelta: 'm>v',
  increase: 'm>v',
  irate: 'm>v',
  label_join: 'vttt*>v',
  label_replace: 'vtttt>v',
  last_over_time: 'm>v',
  ln: 'v>v',
  log10: 'v>v',
  log2: 'v>v',
  max_over_time: 'm>v',
  min_over_time: 'm>v',
  minute: 'v?>v',
  month: 'v?>v',
  pi: '>s',
  predict_linear: 'ms>v',
  present_over_time: 'm>v',
  quantile_over_time: 'sm>v',
  rad: 'v>v',
  rate: 'm>v',
  resets: 'm>v',
  round: 'vs?>v',
  scalar: 'v>s',
  sgn: 'v>v',
  sin: 'v>v',
  sinh: 'v>v',
  sort: 'v>v',
  sort_desc: 'v>v',
  sqrt: 'v>v',
  stddev_over_time: 'm>v',
  stdvar_over_time: 'm>v',
  sum_over_time: 'm>v',
  tan: 'v>v',
  tanh: 'v>v',
  time: '>s',
  timestamp: 'v>v',
  vector: 's>v',
  year: 'v?>v',
};

const EXPERIMENTAL: Readonly<Record<string, string>> = {
  double_exponential_smoothing: 'mss>v',
  end: '>s',
  histogram_quantiles: 'vts*>v',
  info: 'vv?>v',
  mad_over_time: 'm>v',
  max_of: 'ss>s',
  min_of: 'ss>s',
  range: '>s',
  sort_by_label: 'vt*>v',
  sort_by_label_desc: 'vt*>v',
  start: '>s',
  start_timestamp: 'v>v',
  step: '>s',
  ts_of_first_over_time: 'm>v',
  ts_of_last_over_time: 'm>v',
  ts_of_max_over_time: 'm>v',
  ts_of_min_over_time: 'm>v',
};

const entries = [
  ...Object.entries(STABLE).map(([name, shape]) => [name, signature(shape, false)] as const),
  ...Object.entries(EXPERIMENTAL).map(([name, shape]) => [name, signature(shape, true)] as const),
];

export const SIGNATURES: ReadonlyMap<string, Signature> = new Map(entries);

/** The fewest and the most arguments; the most is undefined when there is no limit. */
export function arity({ args, more }: Signature): { readonly least: number; readonly most: number | undefined } {
  if (more === 0) return { least: args.length, most: args.length };
  // `label_join` and `sort_by_label` may go without their last, repeated argument, as a single optional one may.
  return { least: args.length - 1, most: more < 0 ? undefined : args.length };
}
