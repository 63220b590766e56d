/** What Grafana does to answers before it draws them, as far as a panel here does the same. Pure. */
import type { REDUCERS } from '../model.ts';
import type { Context } from './context.ts';
import { type Fields, fieldsAt, isTrueAt, numberAt, objectsAt, textAt, textsAt, valueAt } from './fields.ts';
import type { ReadQuery } from './queries.ts';

export type Reducer = (typeof REDUCERS)[number];

export type Transformed = {
  readonly queries: readonly ReadQuery[];
  readonly columns: readonly string[];
  readonly hide: readonly string[];
  readonly reduce?: Reducer;
  readonly sort?: { readonly by: string; readonly down: boolean };
};

const MAX_READ = 100;

/** Tables here join what several queries say of one thing by themselves. */
const DONE_ANYWAY = new Set([
  'merge',
  'joinByField',
  'seriesToColumns',
  'labelsToFields',
  'seriesToRows',
  'joinByLabels',
  'timeSeriesTable',
  'prepareTimeSeries',
]);

const REDUCER_OF: Readonly<Record<string, Reducer>> = {
  last: 'last',
  lastNotNull: 'last',
  current: 'last',
  mean: 'mean',
  avg: 'mean',
  max: 'max',
  min: 'min',
  sum: 'sum',
  total: 'sum',
  diff: 'change',
  delta: 'change',
};

/** Undefined for one that a panel here does not know. */
export const reducerOf = (id: string): Reducer | undefined => (Object.hasOwn(REDUCER_OF, id) ? REDUCER_OF[id] : undefined);

export function readTransformations(panel: Fields, title: string, context: Context, queries: readonly ReadQuery[]): Transformed {
  let now: Transformed = { queries, columns: [], hide: [] };
  for (const one of objectsAt(panel, 'transformations').slice(0, MAX_READ)) {
    if (isTrueAt(one, 'disabled')) continue;
    const id = textAt(one, 'id');
    const options = fieldsAt(one, 'options');
    if (DONE_ANYWAY.has(id)) continue;
    const next = applied(id, options, now, (what, why) => context.losses.add(title, what, why));
    if (next === undefined)
      context.losses.add(title, `the transformation ${id}`, 'panels here have no step that does this: write it in PromQL');
    else now = next;
  }
  return now;
}

type Lose = (what: string, why: string) => void;

function applied(id: string, options: Fields, now: Transformed, lose: Lose): Transformed | undefined {
  switch (id) {
    case 'organize':
      return organized(options, now, lose);
    case 'filterFieldsByName': {
      const names = textsAt(options, 'include', 'names');
      if (names.length === 0) return undefined;
      return { ...now, columns: names.filter((name) => !isValue(name)) };
    }
    case 'filterByRefId': {
      const wanted = new Set(textsAt(options, 'include').flatMap((refs) => refs.split('|')));
      return { ...now, queries: now.queries.map((query) => (wanted.has(query.refId) ? query : { ...query, hidden: true })) };
    }
    case 'reduce': {
      const [first = ''] = textsAt(options, 'reducers');
      const reduce = reducerOf(first);
      if (textsAt(options, 'reducers').length > 1)
        lose('further figures of the transformation reduce', 'a panel makes one number of each series');
      return reduce === undefined ? undefined : { ...now, reduce };
    }
    case 'sortBy': {
      const [sort] = objectsAt(options, 'sort');
      const by = headOf(textAt(sort, 'field'), now.queries);
      return by === '' ? now : { ...now, sort: { by, down: isTrueAt(sort, 'desc') } };
    }
    default:
      return undefined;
  }
}

const isValue = (name: string): boolean => name === 'Time' || name === 'Value' || /^Value #\w+$/.test(name);

/** The name of a column of Grafana as it stands over ours. */
function headOf(field: string, queries: readonly ReadQuery[]): string {
  const refId = /^Value #(\w+)$/.exec(field)?.[1];
  return (refId === undefined ? undefined : queries.find((one) => one.refId === refId)?.legend) ?? field;
}

function organized(options: Fields, now: Transformed, lose: Lose): Transformed {
  const excluded = fieldsAt(options, 'excludeByName');
  const hide = Object.keys(excluded).filter((name) => isTrueAt(excluded, name) && !isValue(name));
  const order = fieldsAt(options, 'indexByName');
  const columns = Object.keys(order)
    .filter((name) => !isValue(name) && !hide.includes(name))
    .sort((a, b) => (numberAt(order, a) ?? 0) - (numberAt(order, b) ?? 0));
  const renames = fieldsAt(options, 'renameByName');
  const kept: string[] = [];
  let { queries } = now;
  for (const name of Object.keys(renames)) {
    const to = valueAt(renames, name);
    if (typeof to !== 'string' || to === '' || to === name) continue;
    const refId = /^Value #(\w+)$/.exec(name)?.[1] ?? (name === 'Value' ? queries[0]?.refId : undefined);
    if (refId === undefined) kept.push(`${name} as ${to}`);
    else queries = queries.map((query) => (query.refId === refId ? { ...query, legend: textAt(renames, name).slice(0, 200) } : query));
  }
  if (kept.length > 0) lose(`other names of columns (${kept.join(', ')})`, 'a column is called as its label is');
  return { ...now, queries, hide: [...now.hide, ...hide], columns: columns.length > 0 ? columns : now.columns };
}
