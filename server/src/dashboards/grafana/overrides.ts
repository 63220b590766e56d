/** Settings of single series: those that have a meaning here change the queries; the others are told, one line for each kind. Pure. */
import { compileRegex } from '@nines/base/regex.ts';
import { type Context } from './context.ts';
import { type Fields, isTrueAt, numberAt, objectsAt, textAt, valueAt } from './fields.ts';
import { type ReadQuery, legendWords } from './queries.ts';

export type Overridden = {
  readonly queries: readonly ReadQuery[] /** Columns of a table that are not shown. */;
  readonly hide: readonly string[];
};

const MAX_READ = 200;

/** How a series looks beside others: nothing that is told by it stands only there. */
const LOOKS =
  /^(?:custom\.(?:line|fill|point|gradient|draw|span|show|bar|width|align|display|cell|thresholds|axis(?!Placement)|stacking|inspect|filterable|minWidth)|noValue|filterable)/;
const WORDS: Readonly<Record<string, string>> = {
  color: 'colours of single series',
  'custom.axisPlacement': 'a second axis',
  unit: 'units of single series',
  decimals: 'decimals of single series',
  thresholds: 'thresholds of single series',
  mappings: 'words for values of single series',
  links: 'links of single series',
};
const WHY: Readonly<Record<string, string>> = {
  color: 'a series has one colour on every dashboard, chosen by Nines',
  'custom.axisPlacement': 'a chart has one axis: use a panel for each unit',
};

export function readOverrides(panel: Fields, title: string, context: Context, queries: readonly ReadQuery[]): Overridden {
  const hide: string[] = [];
  const lost = new Map<string, Set<string>>();
  let now = queries;
  const all = [...objectsAt(panel, 'fieldConfig', 'overrides'), ...oldOverrides(panel)];
  if (all.length > MAX_READ) context.losses.add(title, `${all.length - MAX_READ} further overrides`, `at most ${MAX_READ} are read`);
  for (const one of all.slice(0, MAX_READ)) {
    const picks = pickOf(one);
    const named = nameOf(one);
    for (const property of objectsAt(one, 'properties')) {
      const id = textAt(property, 'id');
      const value = valueAt(property, 'value');
      const picked = now.filter(picks);
      if (id === 'displayName' && typeof value === 'string' && picked.length > 0)
        now = now.map((query) => (picked.includes(query) ? { ...query, legend: context.fill(value).slice(0, 200) } : query));
      else if (id === 'custom.transform' && value === 'negative-Y' && picked.length > 0)
        now = now.map((query) => (picked.includes(query) ? { ...query, expr: `-(${query.expr})` } : query));
      else if (isHiding(id, value)) {
        if (picked.length > 0) now = now.map((query) => (picked.includes(query) ? { ...query, hidden: true } : query));
        else hide.push(named);
      } else if (!LOOKS.test(id) && id !== '' && (picked.length > 0 || mayMeanOne(one, now)))
        lost.set(id, (lost.get(id) ?? new Set()).add(named));
    }
  }
  for (const [id, names] of lost)
    context.losses.add(
      title,
      `${WORDS[id] ?? `the setting ${id} of`} (${[...names].join(', ')})`,
      WHY[id] ?? 'a panel has one for all its series',
    );
  return { queries: now, hide };
}

/** Whether a series can have the name: where all legends are plain words, only those are names. */
const mayMeanOne = (override: Fields, queries: readonly ReadQuery[]): boolean =>
  !['byName', 'byRegexp', 'byFrameRefID'].includes(textAt(override, 'matcher', 'id')) ||
  queries.some(({ legend }) => legend === undefined || legend.includes('{{'));

const isHiding = (id: string, value: unknown): boolean =>
  (id === 'custom.hidden' && value === true) || (id === 'custom.hideFrom' && isTrueAt(value, 'viz'));

function nameOf(override: Fields): string {
  const options = valueAt(override, 'matcher', 'options');
  const text = typeof options === 'string' ? options : JSON.stringify(options ?? '');
  return text.slice(0, 80);
}

/** Which queries a matcher means, as far as their legends tell. */
function pickOf(override: Fields): (query: ReadQuery) => boolean {
  const options = textAt(override, 'matcher', 'options');
  switch (textAt(override, 'matcher', 'id')) {
    case 'byFrameRefID':
      return ({ refId }) => refId === options;
    case 'byName':
      return ({ legend, refId }) => legend === options || options === `Value #${refId}`;
    case 'byRegexp': {
      const pattern = compileRegex(options.replace(/^\/(.*)\/[a-z]*$/s, '$1'));
      return (query) => pattern.ok && pattern.value.matchesPart(legendWords(query));
    }
    default:
      return () => false;
  }
}

/** `seriesOverrides` of the old graph in the new words. */
function oldOverrides(panel: Fields): readonly Fields[] {
  return objectsAt(panel, 'seriesOverrides').map((one) => {
    const alias = textAt(one, 'alias');
    const properties = [
      ...(textAt(one, 'transform') === '' ? [] : [{ id: 'custom.transform', value: textAt(one, 'transform') }]),
      ...((numberAt(one, 'yaxis') ?? 1) > 1 ? [{ id: 'custom.axisPlacement', value: 'right' }] : []),
      ...(textAt(one, 'color') === '' ? [] : [{ id: 'color', value: textAt(one, 'color') }]),
    ];
    const id = alias.startsWith('/') ? 'byRegexp' : 'byName';
    return { matcher: { id, options: alias }, properties };
  });
}
