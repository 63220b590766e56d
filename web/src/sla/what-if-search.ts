/** The question of a what-if in the address, and as the API takes it. Pure. */
import type { Raw } from '../shell/search.ts';

/** `exclude`: `FROM~TO` in Unix milliseconds, with commas between. `hours`: days and stretch, `mon-fri 09:00-17:00`. */
export type WhatIfSearch = {
  period?: string;
  zone?: string;
  from?: number;
  to?: number;
  target?: string;
  unknown?: 'exclude' | 'down' | 'up';
  exclude?: string;
  keep?: 0;
  hours?: string;
  maintenance?: 'exclude' | 'none';
};

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const words = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
};
const instant = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

export function whatIfSearch(raw: Raw): WhatIfSearch {
  const unknown = (['exclude', 'down', 'up'] as const).find((one) => one === raw.unknown);
  const maintenance = (['exclude', 'none'] as const).find((one) => one === raw.maintenance);
  const search = {
    period: words(raw.period),
    zone: words(raw.zone),
    from: instant(raw.from),
    to: instant(raw.to),
    target: words(raw.target),
    unknown,
    exclude: words(raw.exclude),
    keep: raw.keep === 0 || raw.keep === '0' ? 0 : undefined,
    hours: words(raw.hours),
    maintenance,
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as WhatIfSearch;
}

export type Span = { readonly fromMs: number; readonly toMs: number };

/** The stretches of `exclude`; what cannot be read is left out. */
export function spansOf(text: string | undefined): readonly Span[] {
  return (text ?? '').split(',').flatMap((part) => {
    const [from, to] = part.split('~').map(Number);
    return from !== undefined && to !== undefined && Number.isSafeInteger(from) && Number.isSafeInteger(to) && from < to
      ? [{ fromMs: from, toMs: to }]
      : [];
  });
}

export const spansText = (spans: readonly Span[]): string => spans.map(({ fromMs, toMs }) => `${fromMs}~${toMs}`).join(',');

/** `mon-fri 09:00-17:00` → the stretch on each of those days; undefined when it is not written so. */
export function weeklyOf(text: string): Readonly<Record<string, readonly string[]>> | undefined {
  const parts = /^([a-z]{3})(?:-([a-z]{3}))? +(\d\d:\d\d-\d\d:\d\d)$/.exec(text.trim().toLowerCase());
  if (parts === null) return undefined;
  const [, first = '', last = first, stretch = ''] = parts;
  const [from, to] = [DAYS.findIndex((day) => day === first), DAYS.findIndex((day) => day === last)];
  if (from < 0 || to < from) return undefined;
  return Object.fromEntries(DAYS.slice(from, to + 1).map((day) => [day, [stretch]]));
}

const seconds = (atMs: number): string => String(atMs / 1000);

/** The body of `POST /api/slas/{id}/what-if`. `zone`: in which service hours are meant where the address names none. */
export function bodyOf(search: WhatIfSearch, zone: string): Readonly<Record<string, unknown>> {
  const weekly = search.hours === undefined ? undefined : weeklyOf(search.hours);
  const exclude = spansOf(search.exclude);
  return {
    ...periodFields(search),
    ...(search.target === undefined ? {} : { target: search.target.endsWith('%') ? search.target : `${search.target}%` }),
    ...(search.unknown === undefined ? {} : { unknown: search.unknown }),
    ...(search.hours === 'always' ? { hours: 'always' } : weekly === undefined ? {} : { hours: { zone: search.zone ?? zone, weekly } }),
    ...(search.maintenance === undefined ? {} : { maintenance: search.maintenance }),
    ...(search.keep === 0 ? { keep_exclusions: false } : {}),
    ...(exclude.length === 0 ? {} : { exclude: exclude.map(({ fromMs, toMs }) => ({ from: seconds(fromMs), to: seconds(toMs) })) }),
  };
}

/** What the address says of the period, as the API takes it; empty for the window in force. */
export function periodFields(search: Pick<WhatIfSearch, 'period' | 'zone' | 'from' | 'to'>): Readonly<Record<string, string>> {
  const zone = search.zone === undefined ? {} : { zone: search.zone };
  if (search.period !== undefined) return { period: search.period, ...zone };
  if (search.from === undefined || search.to === undefined) return zone;
  return { from: seconds(search.from), to: seconds(search.to), ...zone };
}

/** Whether anything is asked that is not so. */
export const asksSomething = ({ target, unknown, exclude, keep, hours, maintenance }: WhatIfSearch): boolean =>
  [target, unknown, exclude, keep, hours, maintenance].some((one) => one !== undefined);
