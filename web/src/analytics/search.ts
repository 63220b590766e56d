/** What the address of the analytics page may carry. */
import type { Raw } from '../shell/search.ts';

export const VIEWS = ['insights', 'capacity', 'series', 'load'] as const;
export const WINDOWS = ['24h', '7d', '30d', '90d'] as const;
export const STEPS = ['1m', '5m', '15m', '1h', '6h', '1d'] as const;
export const AHEADS = ['6h', '24h', '7d', '30d'] as const;
export const METHODS = ['seasonal', 'robust_zscore', 'zscore', 'isolation_forest'] as const;
export const SENSITIVITIES = [0.8, 0.9, 0.95, 0.99] as const;
export const KINDS = ['performance_trend', 'capacity', 'anomaly', 'seasonality', 'correlation', 'prediction'] as const;
export const STATES = ['filling', 'grows', 'steady', 'shrinks', 'unclear', 'refused'] as const;

/** Where measurements of load come from. Only what is stored can be named by an address. */
export const LOAD_SOURCES = ['pairs', 'file'] as const;

/** The server takes no more. */
export const MAX_FACTOR = 1_000;

/**
 * `q`: a metric, a glob over names or PromQL. `series`: which of the found, by its labels. `at`: the episode looked at, by its beginning.
 * `with`: what it is compared with. `c`: a filter of the capacity table. `throughput`, `concurrency`: PromQL of a load model.
 */
export type AnalyticsSearch = {
  view?: (typeof VIEWS)[number];
  q?: string;
  window?: (typeof WINDOWS)[number];
  step?: (typeof STEPS)[number];
  ahead?: (typeof AHEADS)[number];
  method?: (typeof METHODS)[number];
  sensitivity?: (typeof SENSITIVITIES)[number];
  series?: string;
  at?: number;
  with?: string;
  kind?: (typeof KINDS)[number];
  status?: 'all' | 'muted';
  c?: string;
  state?: (typeof STATES)[number];
  source?: (typeof LOAD_SOURCES)[number];
  throughput?: string;
  concurrency?: string;
  factor?: number;
};

/** Fields to be said otherwise; `undefined` takes one out. */
export type SearchChange = { readonly [Field in keyof AnalyticsSearch]?: AnalyticsSearch[Field] | undefined };

const text = (value: unknown): string | undefined => {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};
const oneOf = <T>(all: readonly T[], value: unknown): T | undefined => all.find((one) => one === value);

/** What cannot be read is dropped. */
export function analyticsSearch(raw: Raw): AnalyticsSearch {
  const { at, factor } = raw;
  const search = {
    view: oneOf(VIEWS, raw['view']),
    q: text(raw['q']),
    window: oneOf(WINDOWS, raw['window']),
    step: oneOf(STEPS, raw['step']),
    ahead: oneOf(AHEADS, raw['ahead']),
    method: oneOf(METHODS, raw['method']),
    sensitivity: oneOf(SENSITIVITIES, raw['sensitivity']),
    series: text(raw['series']),
    at: typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : undefined,
    with: text(raw['with']),
    kind: oneOf(KINDS, raw['kind']),
    status: oneOf(['all', 'muted'] as const, raw['status']),
    c: text(raw['c']),
    state: oneOf(STATES, raw['state']),
    source: oneOf(LOAD_SOURCES, raw['source']),
    throughput: text(raw['throughput']),
    concurrency: text(raw['concurrency']),
    factor: typeof factor === 'number' && factor > 0 && factor <= MAX_FACTOR ? factor : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as AnalyticsSearch;
}

/** How far ahead one looks when one looks that far back. */
const AHEAD_OF = { '24h': '6h', '7d': '24h', '30d': '7d', '90d': '30d' } as const;

/** The question of a search, with what was not said filled in. */
export function questionOf({ window = '30d', step, ahead, method = 'seasonal', sensitivity = 0.95 }: AnalyticsSearch) {
  return { window, step, ahead: ahead ?? AHEAD_OF[window], method, sensitivity };
}
export type Question = ReturnType<typeof questionOf>;

const LENGTHS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Of the lengths above: `7d` in milliseconds. */
export const lengthMsOf = (length: string): number =>
  Number(length.slice(0, -1)) * (LENGTHS_MS[length.slice(-1) as keyof typeof LENGTHS_MS] ?? Number.NaN);
