import { cramerV, homogeneity } from './contingency.ts';
import { countInBins, jensenShannon, populationStability, quantileEdges, stabilityP, sturgesEdges, wasserstein } from './distances.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { adjustedForDiscovery, smallestOf } from './multiple-tests.ts';
import { LARGEST, type Numbers, distinctOf, varianceOf } from './numbers.ts';

/**
 * Whether the values a model sees now still come from where its reference came from. A feature has drifted when the difference is both
 * significant (false discoveries among the features of a run held to `q`) and large enough to matter; with few rows neither can be told,
 * which is its own state.
 */

/** Rows of each side below which fixed distances mean nothing: at 100 rows PSI >= 0.1 in 83 % of runs without any drift. */
export const MIN_ROWS = 200;
/** Share of false discoveries. */
export const DISCOVERY_RATE = 0.05;
/** The least effect that counts, of each measure: W1 / sd, JS distance in base 2, PSI, Cramér's V, difference of missing shares. */
export const EFFECT_FLOOR = 0.1;
/** Weighted share of drifted features from which the whole has drifted. */
export const DRIFT_SHARE = 0.3;
/** Numeric columns with up to so many distinct values are compared value by value as well. */
const FEW_VALUES = 20;
const STABILITY_BINS = 10;
/** Categories expected fewer times than this are taken together: the chi-square law does not hold for them. */
const MIN_EXPECTED = 5;
/** Deviation below which a reference counts as not varying. */
const LEAST_SD = 0.001;

/** Numbers that are not finite, or beyond 1e100 in size, count as missing. */
export type Cell = number | string | boolean | null;

export type FeatureTests = {
  readonly ks?: { readonly statistic: number; readonly p: number; readonly method: 'exact' | 'asymptotic' };
  readonly psi: { readonly value: number; readonly p: number; readonly bins: number };
  readonly wasserstein?: { readonly value: number; readonly normalised: number };
  readonly jensenShannon: { readonly distance: number; readonly base: 2; readonly bins: number };
  readonly chiSquare?: { readonly statistic: number; readonly p: number; readonly dof: number; readonly cramerV: number };
  readonly missing: { readonly reference: number; readonly current: number; readonly p: number };
};

export type FeatureDrift = {
  readonly state: 'stable' | 'drifted' | 'insufficient';
  readonly kind: 'numeric' | 'categorical';
  /** Adjusted for the number of features; 1 when insufficient. */
  readonly p: number;
  /** The largest of the measures that `EFFECT_FLOOR` bounds. */
  readonly effect: number;
  readonly rows: { readonly reference: number; readonly current: number };
  readonly reason: string;
  /** Undefined when one side has no value at all. */
  readonly tests?: FeatureTests;
};

export type DriftReport = {
  readonly drifted: boolean;
  /** Weighted, of the features that could be judged. */
  readonly share: number;
  readonly features: ReadonlyMap<string, FeatureDrift>;
};

export type DriftOptions = {
  /** How much each feature counts; 1 when not said. */
  readonly importance?: ReadonlyMap<string, number>;
  /** Each of these alone makes the whole drifted. */
  readonly critical?: ReadonlySet<string>;
};

/** Columns by name; a feature is judged when both sides have it. */
export function driftOf(
  reference: ReadonlyMap<string, readonly Cell[]>,
  current: ReadonlyMap<string, readonly Cell[]>,
  options: DriftOptions = {},
): DriftReport {
  const names = [...reference.keys()].filter((name) => current.has(name));
  const measured = names.map((name) => measure(reference.get(name) ?? [], current.get(name) ?? []));
  const judged = measured.map((one, index) => ({ one, index })).filter(({ one }) => one.enough);
  const adjusted = adjustedForDiscovery(judged.map(({ one }) => one.p));
  const pOf = new Map(judged.map(({ index }, k) => [index, adjusted[k] ?? 1]));
  const features = new Map(names.map((name, i) => [name, verdict(measured[i] as Measured, pOf.get(i) ?? 1)]));
  let [drifted, total] = [0, 0];
  for (const [name, { state }] of features) {
    if (state === 'insufficient') continue;
    const weight = options.importance?.get(name) ?? 1;
    total += weight;
    if (state === 'drifted') drifted += weight;
  }
  const share = total > 0 ? drifted / total : 0;
  const critical = [...features].some(([name, { state }]) => state === 'drifted' && options.critical?.has(name) === true);
  return { drifted: share >= DRIFT_SHARE || critical, share, features };
}

type Measured = Pick<FeatureDrift, 'kind' | 'effect' | 'rows' | 'tests'> & { readonly p: number; readonly enough: boolean };

function measure(reference: readonly Cell[], current: readonly Cell[]): Measured {
  const [r, c] = [reference.filter(isPresent), current.filter(isPresent)];
  const rows = { reference: r.length, current: c.length };
  const numeric = [...r, ...c].every((value) => typeof value === 'number');
  const kind = numeric && r.length + c.length > 0 ? 'numeric' : 'categorical';
  if (r.length === 0 || c.length === 0) return { kind, p: 1, effect: 0, rows, enough: false };
  const missing = missingOf(reference.length - r.length, reference.length, current.length - c.length, current.length);
  const found = numeric ? numericTests(r as readonly number[], c as readonly number[]) : categoricalTests(r, c);
  const tests = { ...found.tests, missing };
  const gap = Math.abs(missing.reference - missing.current);
  const effect = Math.max(found.effect, gap);
  const p = gap >= EFFECT_FLOOR ? smallestOf([...found.p, missing.p]) : smallestOf(found.p);
  return { kind, p, effect, rows, enough: Math.min(r.length, c.length) >= MIN_ROWS, tests };
}

function verdict({ kind, effect, rows, tests, enough }: Measured, p: number): FeatureDrift {
  const shared = { kind, effect, rows, p, ...(tests === undefined ? {} : { tests }) };
  if (!enough) {
    const least = Math.min(rows.reference, rows.current);
    return { ...shared, p: 1, state: 'insufficient', reason: `${least} values on one side, at least ${MIN_ROWS} are needed on both` };
  }
  const [significant, large] = [p <= DISCOVERY_RATE, effect >= EFFECT_FLOOR];
  if (significant && large)
    return {
      ...shared,
      state: 'drifted',
      reason: `effect ${digits(effect)} is at least ${EFFECT_FLOOR} and p ${digits(p)} is at most ${DISCOVERY_RATE}`,
    };
  const reason = significant
    ? `different (p ${digits(p)}), but by less than matters: effect ${digits(effect)} is below ${EFFECT_FLOOR}`
    : `no difference that chance does not explain: p ${digits(p)} is above ${DISCOVERY_RATE}`;
  return { ...shared, state: 'stable', reason };
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));
const isPresent = (cell: Cell): cell is number | string | boolean =>
  cell !== null && !(typeof cell === 'number' && !(Math.abs(cell) <= LARGEST));

type Tested = { readonly tests: Omit<FeatureTests, 'missing'>; readonly p: readonly number[]; readonly effect: number };

function numericTests(r: Numbers, c: Numbers): Tested {
  const ks = kolmogorovSmirnov(r, c);
  const moved = wasserstein({ values: r }, { values: c });
  const normalised = moved / Math.max(Math.sqrt(varianceOf(r, 0)), LEAST_SD);
  const edges = sturgesEdges(r, c);
  const distance = jensenShannon(countInBins(r, edges), countInBins(c, edges), 2);
  const few = distinctOf([...Array.from(r), ...Array.from(c)]) <= FEW_VALUES;
  const quantiles = quantileEdges(r, STABILITY_BINS);
  const counts = few ? undefined : ([countInBins(r, quantiles), countInBins(c, quantiles)] as const);
  const table = few ? tableOf(Array.from(r), Array.from(c)) : undefined;
  const psi = stabilityOf(counts ?? (table as Table).grouped, r.length, c.length);
  const common = {
    ks,
    psi,
    wasserstein: { value: moved, normalised },
    jensenShannon: { distance, base: 2 as const, bins: edges.length + 1 },
  };
  const effect = Math.max(normalised, distance, psi.value);
  if (table === undefined) return { tests: common, p: [ks.p, psi.p], effect };
  const chiSquare = chiSquareOf(table, r.length + c.length);
  return { tests: { ...common, chiSquare }, p: [ks.p, chiSquare.p], effect: Math.max(effect, chiSquare.cramerV) };
}

function categoricalTests(r: readonly Cell[], c: readonly Cell[]): Tested {
  const table = tableOf(r.map(String), c.map(String));
  const chiSquare = chiSquareOf(table, r.length + c.length);
  const psi = stabilityOf(table.grouped, r.length, c.length);
  const distance = jensenShannon(table.all[0], table.all[1], 2);
  const tests = { psi, jensenShannon: { distance, base: 2 as const, bins: table.all[0].length }, chiSquare };
  return { tests, p: [chiSquare.p], effect: Math.max(psi.value, distance, chiSquare.cramerV) };
}

type Pair = readonly [Float64Array, Float64Array];
type Table = { readonly all: Pair /** Rare categories taken together. */; readonly grouped: Pair };

function tableOf(r: readonly (string | number)[], c: readonly (string | number)[]): Table {
  const counts = new Map<string | number, [number, number]>();
  for (const [side, cells] of [r, c].entries())
    for (const cell of cells) {
      const entry = counts.get(cell) ?? [0, 0];
      entry[side === 0 ? 0 : 1] += 1;
      counts.set(cell, entry);
    }
  const entries = [...counts.values()];
  const least = Math.min(r.length, c.length) / (r.length + c.length);
  const common = entries.filter(([a, b]) => (a + b) * least >= MIN_EXPECTED);
  const rare = entries.filter(([a, b]) => (a + b) * least < MIN_EXPECTED);
  const rest: [number, number] = [rare.reduce((sum, [a]) => sum + a, 0), rare.reduce((sum, [, b]) => sum + b, 0)];
  const grouped = rare.length > 0 ? [...common, rest] : common;
  const columns = (rows: readonly [number, number][]): Pair => [Float64Array.from(rows, ([a]) => a), Float64Array.from(rows, ([, b]) => b)];
  return { all: columns(entries), grouped: columns(grouped) };
}

function chiSquareOf({ grouped }: Table, observations: number) {
  const { statistic, p, dof } = homogeneity(grouped[0], grouped[1]);
  return { statistic, p, dof, cramerV: cramerV(statistic, observations) };
}

function stabilityOf([r, c]: Pair, n: number, m: number) {
  const value = populationStability(r, c);
  return { value, p: stabilityP(value, { n, m, bins: r.length }), bins: r.length };
}

function missingOf(inReference: number, n: number, inCurrent: number, m: number) {
  const { p } = homogeneity([inReference, n - inReference], [inCurrent, m - inCurrent]);
  return { reference: inReference / n, current: inCurrent / m, p };
}

/** The level of one test so that `features` tests a day give one false alarm in `days` days. */
export const levelFor = (features: number, days: number): number => 1 / (features * days);

/** Whether enough of the last windows were drifted to say so: 2 of 3 unless told otherwise. */
export const confirmed = (windows: readonly boolean[], needed = 2, of = 3): boolean => windows.slice(-of).filter(Boolean).length >= needed;
