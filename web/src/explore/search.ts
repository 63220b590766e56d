/** What the address of the explore page carries: its queries, in order, and the range they share. */
import { type RangeSearch, type Raw, rangeSearch } from '../shell/search.ts';

export const TABS = ['graph', 'table', 'explain'] as const;
export type Tab = (typeof TABS)[number];
export const UNIT_NAMES = ['number', 'bytes', 'bytes_per_second', 'seconds', 'percent'] as const;
export type UnitName = (typeof UNIT_NAMES)[number];

/** `q`: PromQL. `unit`: how values read, where that is not guessed. */
export type ExplorePanel = { q: string; tab?: Tab; unit?: UnitName };
/** `browse`: the list of metrics is open. */
export type ExploreSearch = RangeSearch & { panels?: ExplorePanel[]; browse?: 1 };

const MAX_PANELS = 12;

const word = <T extends string>(words: readonly T[], value: unknown): T | undefined => words.find((one) => one === value);

function panelOf(raw: unknown): readonly ExplorePanel[] {
  if (typeof raw === 'string' || typeof raw === 'number') return [{ q: String(raw) }];
  if (typeof raw !== 'object' || raw === null) return [];
  const { q, tab, unit } = raw as Raw;
  if (typeof q !== 'string' && typeof q !== 'number') return [];
  const [knownTab, knownUnit] = [word(TABS, tab), word(UNIT_NAMES, unit)];
  return [{ q: String(q), ...(knownTab !== undefined && { tab: knownTab }), ...(knownUnit !== undefined && { unit: knownUnit }) }];
}

/** `?q=up` is one panel, for addresses written by hand. What cannot be read is dropped. */
export function exploreSearch(raw: Raw): ExploreSearch {
  const listed: readonly unknown[] = Array.isArray(raw['panels']) ? raw['panels'] : [raw['q']];
  const panels = listed.flatMap(panelOf).slice(0, MAX_PANELS);
  return { ...rangeSearch(raw), ...(panels.length === 0 ? {} : { panels }), ...(raw['browse'] === 1 ? { browse: 1 as const } : {}) };
}

export const canAdd = (panels: readonly ExplorePanel[]): boolean => panels.length < MAX_PANELS;
