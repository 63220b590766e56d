import { type QueryClient, useQueries, useQueryClient } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import type { Variable } from '../api/dashboards.ts';
import { request, withQuery } from '../api/client.ts';
import type { View } from '../timeline/view.ts';
import { type Chosen, interpolate, namesIn } from '@nines/maths/dashboards/interpolate.ts';
import type { DashboardSearch } from './search.ts';

/** In an address it stands for every value. */
export const ALL = '$__all';

export type KnownVariable = {
  readonly variable: Variable;
  readonly options: readonly string[];
  readonly pending: boolean;
  readonly error: Error | null;
  readonly chosen: Chosen;
};

const MOST_VALUES = 1_000;

const isChoice = (variable: Variable): variable is Extract<Variable, { kind: 'query' | 'list' }> =>
  variable.kind === 'query' || variable.kind === 'list';

/** What is chosen: by the address, else as the dashboard says, else all where that is allowed, else the first there is. */
export function chosenOf(variable: Variable, options: readonly string[], asked: readonly string[] | undefined): Chosen {
  if (!isChoice(variable)) {
    const first = variable.kind === 'interval' ? variable.values[0] : '';
    const value = asked?.[0] ?? (variable.value === '' ? (first ?? '') : variable.value);
    return { values: [value], all: false, many: false };
  }
  const many = variable.multi || variable.all;
  const wanted = asked ?? variable.value;
  if (variable.all && (wanted.includes(ALL) || wanted.length === 0)) return { values: [...options], all: true, many };
  const [first] = options;
  const values = wanted.length > 0 ? wanted : first === undefined ? [] : [first];
  return { values: variable.multi ? values : values.slice(0, 1), all: false, many };
}

/** The part of each value that the pattern means: its first group, or the whole. */
function filtered(values: readonly string[], pattern: string): readonly string[] {
  if (pattern === '') return values;
  try {
    const regex = new RegExp(pattern.replace(/^\/(.*)\/$/, '$1'));
    return [
      ...new Set(
        values.flatMap((value) => {
          const match = regex.exec(value);
          return match === null ? [] : [match[1] ?? value];
        }),
      ),
    ];
  } catch {
    return values;
  }
}

type Asks = { readonly label: string; readonly match: string; readonly pattern: string };
type Stretch = readonly [fromS: number, toS: number];
const keyOf = (asks: Asks | number, stretch: Stretch) => ['board-values', asks, ...stretch] as const;

type Known = {
  readonly client: QueryClient;
  readonly lengths: Parameters<typeof interpolate>[2];
  readonly stretch: Stretch;
  /** What there was to choose a moment ago, while it is asked for anew. */
  readonly kept: ReadonlyMap<string, readonly string[]>;
};

/**
 * What each variable asks for, with what is chosen of the others put in. What is chosen of an earlier one may be the first there is, so
 * a later one waits until that is known.
 */
function writtenOf(variables: readonly Variable[], asked: DashboardSearch['vars'], { client, lengths, stretch, kept }: Known) {
  const values = new Map(variables.map((one) => [one.name, chosenOf(one, [], asked?.[one.name])] as const));
  const waiting = new Set<string>();
  return variables.map((variable): { readonly asks: Asks; readonly waits: boolean } | undefined => {
    if (variable.kind !== 'query') {
      values.set(variable.name, chosenOf(variable, variable.kind === 'text' ? [] : variable.values, asked?.[variable.name]));
      return undefined;
    }
    const waits = namesIn(variable.match).some((name) => name !== variable.name && waiting.has(name));
    const asks = { label: variable.label_name, match: interpolate(variable.match, values, lengths), pattern: variable.regex };
    const options = client.getQueryData<readonly string[]>(keyOf(asks, stretch)) ?? kept.get(variable.name);
    const chosen = chosenOf(variable, options ?? [], asked?.[variable.name]);
    if (options === undefined && !chosen.all && chosen.values.length === 0) waiting.add(variable.name);
    values.set(variable.name, chosen);
    return { asks, waits };
  });
}

/** Variables in order, each with what there is to choose; a query with earlier variables in it waits for them. */
export function useValues(variables: readonly Variable[], asked: DashboardSearch['vars'], view: View): readonly KnownVariable[] {
  // Options change slowly; a stretch that moves on by a second asks for nothing new.
  const [fromS, toS] = [Math.floor(view.fromMs / 60_000) * 60, Math.ceil(view.toMs / 60_000) * 60];
  const lengths = { rangeMs: (toS - fromS) * 1000, stepMs: 60_000, writtenEveryMs: 15_000 };
  const client = useQueryClient();
  const kept = useRef<ReadonlyMap<string, readonly string[]>>(new Map());
  const written = writtenOf(variables, asked, { client, lengths, stretch: [fromS, toS], kept: kept.current });
  const found = useQueries({
    queries: written.map((one, at) => ({
      queryKey: keyOf(one?.asks ?? at, [fromS, toS]),
      enabled: one !== undefined && !one.waits,
      staleTime: 60_000,
      placeholderData: (before: readonly string[] | undefined) => before,
      queryFn: async ({ signal }: { readonly signal: AbortSignal }): Promise<readonly string[]> => {
        if (one === undefined) return [];
        const { label, match, pattern } = one.asks;
        const path = withQuery(`/api/v1/label/${encodeURIComponent(label)}/values`, {
          'match[]': match === '' ? undefined : match,
          start: fromS,
          end: toS,
          limit: MOST_VALUES,
        });
        const { data } = await request<{ readonly data: readonly string[] }>(path, { signal });
        return filtered(data, pattern).slice(0, MOST_VALUES);
      },
    })),
  });
  kept.current = new Map(variables.flatMap(({ name }, at) => (found[at]?.data === undefined ? [] : [[name, found[at].data] as const])));
  const stamp = found.map(({ dataUpdatedAt, isPending, isError }) => `${dataUpdatedAt} ${isPending} ${isError}`).join();
  return useMemo(
    () =>
      variables.map((variable, at) => {
        const options = variable.kind === 'query' ? (found[at]?.data ?? []) : variable.kind === 'text' ? [] : variable.values;
        const one = chosenOf(variable, options, asked?.[variable.name]);
        return {
          variable,
          options,
          pending: variable.kind === 'query' && found[at]?.isPending === true,
          error: found[at]?.error ?? null,
          chosen: one,
        };
      }),
    [stamp, variables, asked],
  );
}

/** Variables of which what is chosen depends on values that are still being read. */
export const pendingOf = (known: readonly KnownVariable[]): ReadonlySet<string> =>
  new Set(known.filter(({ pending, chosen }) => pending && !chosen.all && chosen.values.length === 0).map(({ variable }) => variable.name));

/** Whether a text speaks of a variable that does not exist. */
export const unknownNames = (text: string, variables: readonly Variable[]): readonly string[] =>
  namesIn(text).filter((name) => !name.startsWith('__') && !variables.some((one) => one.name === name));
