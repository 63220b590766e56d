/** One panel of Grafana as one of ours, or nothing where nothing of it can be shown; what is lost is told. Pure. */
import { type Panel, type Source, panelSpec } from '../model.ts';
import { titleOf } from './classic.ts';
import type { Context } from './context.ts';
import { type Fields, fieldsAt, isTrueAt, listAt, numberAt, objectsAt, textAt, textsAt, valueAt } from './fields.ts';
import { linksOf } from './links.ts';
import { tellRest } from './looks.ts';
import { readOverrides } from './overrides.ts';
import { type ReadQuery, forEveryValue, formatOf, readQueries } from './queries.ts';
import { type ReadThresholds, readList, readMarks, readSteps } from './thresholds.ts';
import { type Reducer, readTransformations, reducerOf } from './transformations.ts';
import { unitOf } from './units.ts';

type Drawn = 'card' | 'line' | 'bar' | 'pie' | 'gauge' | 'heatmap' | 'table';

/** Kinds of Grafana that draw the same. */
const SAME: ReadonlyMap<string, Drawn> = new Map([
  ['timeseries', 'line'],
  ['graph', 'line'],
  ['stat', 'card'],
  ['singlestat', 'card'],
  ['grafana-singlestat-panel', 'card'],
  ['gauge', 'gauge'],
  ['bargauge', 'bar'],
  ['barchart', 'bar'],
  ['piechart', 'pie'],
  ['grafana-piechart-panel', 'pie'],
  ['heatmap', 'heatmap'],
  ['table', 'table'],
  ['table-old', 'table'],
]);
/** Kinds whose figures another kind of ours shows. */
const NEAR: ReadonlyMap<string, readonly [Drawn, string]> = new Map([
  ['state-timeline', ['line', 'values over time as lines, not as coloured stretches']],
  ['status-history', ['line', 'values over time as lines, not as coloured fields']],
  ['natel-discrete-panel', ['line', 'values over time as lines, not as coloured stretches']],
  ['trend', ['line', 'over time']],
  ['candlestick', ['line', 'its values as lines']],
  ['histogram', ['bar', 'the last value of each series, not how often values occur']],
  ['grafana-polystat-panel', ['table', 'the same values in a table']],
  ['xychart', ['line', 'each series over time, not one against another']],
  ['geomap', ['table', 'the same values in a table']],
]);

/** A panel with what the sections above it repeat over. */
export type Found = { readonly panel: Fields; readonly repeats: readonly string[] };

export function readPanel({ panel, repeats }: Found, context: Context): Panel | undefined {
  const title = titleOf(panel);
  const lose = (what: string, why: string): void => context.losses.add(title, what, why);
  const written = panelOf(panel, { title, repeats, context });
  if (written === undefined) return undefined;
  const judged = panelSpec.safeParse(written);
  if (judged.success) return judged.data;
  lose('the panel', judged.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return undefined;
}

type Reading = { readonly title: string; readonly repeats: readonly string[]; readonly context: Context };

function panelOf(panel: Fields, reading: Reading): unknown {
  const { title, context } = reading;
  const type = textAt(panel, 'type');
  const shared = {
    title: context.fill(textAt(panel, 'title')).slice(0, 200),
    description: textAt(panel, 'description').slice(0, 50_000),
    links: linksOf(panel, title, context),
  };
  if (type === 'text') return { kind: 'text', ...shared, markdown: textOf(panel, title, context) };
  if (type === 'dashlist') return { kind: 'text', ...shared, markdown: listOf(panel, title, context) };
  if (type === 'alertlist') return { kind: 'alert_list', ...shared, source: alertsOf(panel, title, context) };
  const [kind, how] = SAME.has(type) ? [SAME.get(type), ''] : (NEAR.get(type) ?? [undefined, '']);
  const figures = figuresOf(panel, reading);
  const asks = figures.queries.length > 0;
  if (!asks) {
    const why = objectsAt(panel, 'targets').length === 0 ? 'it asks nothing' : 'none of its queries can be asked here';
    context.losses.add(
      title,
      `the panel (${type === '' ? 'of no kind' : type})`,
      textAt(panel, 'libraryPanel', 'uid') === '' ? why : LIBRARY,
    );
    return undefined;
  }
  if (how !== '') context.losses.add(title, `how it draws (${type})`, `it shows ${how}`);
  if (kind === undefined)
    context.losses.add(title, `how it draws (${type || 'no kind'})`, 'this plug-in is not known: its figures are lines over time');
  const drawn = kind ?? 'line';
  tellRest(panel, title, context);
  return { ...drawnAs(drawn, panel, reading, figures), ...shared };
}

const LIBRARY = 'it is a library panel and the file does not hold it: export with "Export for sharing externally"';

type Figures = ReturnType<typeof figuresOf>;

/** Queries, unit and limits, in our units. */
function figuresOf(panel: Fields, { title, repeats, context }: Reading) {
  const repeat = textAt(panel, 'repeat');
  const over = [...repeats, repeat].filter((name) => name !== '');
  if (repeat !== '')
    context.losses.add(
      title,
      `its repetition for each value of $${repeat}`,
      `it stands once, for all values of $${repeat} that are chosen`,
    );
  const asked = readQueries(panel, title, context).map((query) => ({ ...query, expr: over.reduce(forEveryValue, query.expr) }));
  const overridden = readOverrides(panel, title, context, asked);
  const done = readTransformations(panel, title, context, overridden.queries);
  const id = unitIdOf(panel);
  const unit = unitOf(id);
  if (unit === undefined) context.losses.add(title, `the unit ${id}`, 'its numbers stand without a unit');
  if (unit?.told !== undefined) context.losses.add(title, `the unit ${id}`, unit.told);
  const factor = unit?.factor ?? 1;
  const queries = done.queries.filter((query) => !(query.hidden === true && query.expr === ''));
  return {
    unit: unit?.unit ?? 'number',
    factor,
    queries: queries.map((query) => (factor === 1 ? query : { ...query, expr: `${Number(factor.toPrecision(12))} * (${query.expr})` })),
    columns: done.columns.slice(0, 100),
    hide: [...new Set([...overridden.hide, ...done.hide])].slice(0, 100),
    reduce: done.reduce,
    sort: done.sort,
  };
}

function unitIdOf(panel: Fields): string {
  const axes = objectsAt(panel, 'yaxes');
  return (
    textAt(panel, 'fieldConfig', 'defaults', 'unit') ||
    textAt(panel, 'format') ||
    textAt(axes[0], 'format') ||
    textAt(panel, 'yAxis', 'format')
  );
}

function drawnAs(kind: Drawn, panel: Fields, { title, context }: Reading, figures: Figures): object {
  const defaults = fieldsAt(panel, 'fieldConfig', 'defaults');
  const custom = fieldsAt(defaults, 'custom');
  const [axis] = objectsAt(panel, 'yaxes');
  const scaled = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * figures.factor);
  const [min, max] = [numberAt(defaults, 'min') ?? numberAt(axis, 'min'), numberAt(defaults, 'max') ?? numberAt(axis, 'max')].map(scaled);
  const { thresholds, lost } = thresholdsOf(panel, { min, max, factor: figures.factor });
  if (lost !== '') context.losses.add(title, lost, 'a limit here is warning or critical, above or below a value');
  const decimals = numberAt(defaults, 'decimals') ?? numberAt(panel, 'decimals');
  const base = {
    unit: figures.unit,
    thresholds,
    source: sourceOf(figures.queries),
    ...(decimals !== undefined && decimals >= 0 && decimals <= 10 ? { decimals: Math.round(decimals) } : {}),
  };
  const range = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  const reduce = reduceOf(panel, title, context) ?? figures.reduce;
  const reduced = reduce === undefined ? {} : { reduce };
  switch (kind) {
    case 'line':
      return lineOf(panel, { title, context }, { ...base, ...range });
    case 'card':
      return { kind, ...base, ...reduced, sparkline: hasSparkline(panel), compare: 'none' };
    case 'gauge':
      return { kind, ...base, ...range, ...reduced };
    case 'bar':
      return { kind, ...base, ...range, ...reduced, by: 'series', top: 100, stack: isStacked(custom, panel, { title, context }) };
    case 'pie':
      return { kind, ...base, ...reduced, hollow: (textAt(panel, 'options', 'pieType') || textAt(panel, 'pieType')) === 'donut' };
    case 'heatmap':
      return { kind, ...base, unit: heatmapUnit(panel) ?? figures.unit, mode: heatmapMode(panel, { title, context }) };
    case 'table':
      return tableOf(panel, figures, { ...base, ...reduced });
  }
}

const sourceOf = (queries: readonly ReadQuery[]): Source => ({
  from: 'promql',
  queries: queries.map(({ refId: _refId, ...query }) => query),
});

/** A single number that is a gauge in the old singlestat stays one. */
const hasSparkline = (panel: Fields): boolean => {
  const mode = textAt(panel, 'options', 'graphMode');
  return textAt(panel, 'type') === 'stat' ? mode !== 'none' : isTrueAt(panel, 'sparkline', 'show');
};

type Told = Pick<Reading, 'title' | 'context'>;

function lineOf(panel: Fields, told: Told, base: object): object {
  const custom = fieldsAt(panel, 'fieldConfig', 'defaults', 'custom');
  const [axis, right] = objectsAt(panel, 'yaxes');
  const stack = isStacked(custom, panel, told);
  const isOld = textAt(panel, 'type') === 'graph';
  const bars = isOld ? isTrueAt(panel, 'bars') && valueAt(panel, 'lines') === false : textAt(custom, 'drawStyle') === 'bars';
  if (isOld && textAt(panel, 'xaxis', 'mode') === 'series') return { kind: 'bar', by: 'series', ...base, stack: false, top: 100 };
  if (isOld && textAt(panel, 'xaxis', 'mode') === 'histogram')
    told.context.losses.add(told.title, 'how it draws (a histogram of values)', 'it shows values over time');
  if (right !== undefined && numberAt(right, 'logBase') !== undefined && (numberAt(right, 'min') ?? numberAt(right, 'max')) !== undefined)
    told.context.losses.add(told.title, 'the bounds of its second axis', 'a chart has one axis');
  if (bars) return { kind: 'bar', by: 'time', ...base, stack };
  const fill = (isOld ? (numberAt(panel, 'fill') ?? 1) : (numberAt(custom, 'fillOpacity') ?? 0)) > 0;
  const scale = textAt(custom, 'scaleDistribution', 'type') || ((numberAt(axis, 'logBase') ?? 1) > 1 ? 'log' : 'linear');
  if (scale === 'symlog') told.context.losses.add(told.title, 'its scale (symlog)', 'a scale is linear or logarithmic');
  return { kind: 'line', ...base, stack, fill, scale: scale === 'log' ? 'log' : 'linear' };
}

function isStacked(custom: Fields, panel: Fields, { title, context }: Told): boolean {
  const mode = textAt(custom, 'stacking', 'mode') || textAt(panel, 'options', 'stacking');
  if (mode === 'percent' || (isTrueAt(panel, 'stack') && isTrueAt(panel, 'percentage')))
    context.losses.add(title, 'shares of the whole', 'values stand on one another as they are, not in percent');
  return mode === 'normal' || mode === 'percent' || isTrueAt(panel, 'stack');
}

function heatmapMode(panel: Fields, { title, context }: Told): 'histogram' {
  const buckets = formatOf(panel) === 'heatmap' || textAt(panel, 'dataFormat') === 'tsbuckets';
  if (isTrueAt(panel, 'options', 'calculate') || (!buckets && textAt(panel, 'dataFormat') === 'timeseries'))
    context.losses.add(title, 'its buckets', 'a heat map shows the buckets of a histogram (le), it makes none of single values');
  return 'histogram';
}

function heatmapUnit(panel: Fields): string | undefined {
  const id = textAt(panel, 'options', 'yAxis', 'unit');
  return id === '' ? undefined : unitOf(id)?.unit;
}

function tableOf(panel: Fields, figures: Figures, base: object): object {
  const [sortBy] = objectsAt(panel, 'options', 'sortBy');
  const field = textAt(sortBy, 'displayName');
  const sort = figures.sort ?? (field === '' ? undefined : { by: field, down: isTrueAt(sortBy, 'desc') });
  const { columns, hide } = figures;
  return { kind: 'table', ...base, columns, hide, ...(sort === undefined ? {} : { sort }) };
}

function thresholdsOf(
  panel: Fields,
  { min, max, factor }: { min: number | undefined; max: number | undefined; factor: number },
): ReadThresholds {
  const type = textAt(panel, 'type');
  if (type === 'graph' || type === 'singlestat' || type === 'grafana-singlestat-panel') {
    const texts = textAt(panel, 'thresholds');
    return texts === '' ? readMarks(panel, factor) : readList(texts, listAt(panel, 'colors'), factor);
  }
  const defaults = fieldsAt(panel, 'fieldConfig', 'defaults');
  const lines = type === 'timeseries' || type === 'trend' || type === 'barchart';
  const mode = textAt(defaults, 'custom', 'thresholdsStyle', 'mode');
  // Every panel has steps; a chart draws them only when told, other kinds colour by them unless they colour otherwise.
  if (lines ? mode === '' || mode === 'off' : !['', 'thresholds'].includes(textAt(defaults, 'color', 'mode')))
    return { thresholds: [], lost: '' };
  const isShare = unitIdOf(panel) === 'percent' || unitIdOf(panel) === 'percentunit';
  const most = max ?? (isShare ? (unitIdOf(panel) === 'percent' ? 100 : 1) : type === 'gauge' || type === 'bargauge' ? 100 : undefined);
  return readSteps(fieldsAt(defaults, 'thresholds'), { min, max: most }, factor);
}

function reduceOf(panel: Fields, title: string, context: Context): Reducer | undefined {
  const calcs = textsAt(panel, 'options', 'reduceOptions', 'calcs');
  const id = calcs[0] ?? (textAt(panel, 'valueName') || '');
  if (id === '') return undefined;
  const found = reducerOf(id);
  if (found === undefined) context.losses.add(title, `the figure "${id}" of a series`, 'it shows the last value');
  if (isTrueAt(panel, 'options', 'reduceOptions', 'values'))
    context.losses.add(title, 'every value by itself', 'a series becomes one number');
  return found;
}

function alertsOf(panel: Fields, title: string, context: Context): Source {
  const filters = ['alertName', 'dashboardTitle', 'alertInstanceLabelFilter', 'nameFilter'].some(
    (name) => textAt(panel, 'options', name) !== '' || textAt(panel, name) !== '',
  );
  if (filters) context.losses.add(title, 'which alerts it lists', 'it lists all open ones: narrow it by severity or labels');
  return { from: 'alerts', status: 'open', severity: [], matchers: '' };
}

/** HTML is shown as it is written, never run: its tags go, its text stays. */
function textOf(panel: Fields, title: string, context: Context): string {
  const mode = textAt(panel, 'options', 'mode') || textAt(panel, 'mode');
  const content = context.fill(textAt(panel, 'options', 'content') || textAt(panel, 'content')).slice(0, 50_000);
  if (mode === 'code') return `\`\`\`\n${content}\n\`\`\``;
  if (mode !== 'html' && !/<\/?[a-z][^<>]*>/i.test(content)) return content;
  context.losses.add(title, 'its HTML', 'a text is Markdown: its words stay, how they were set does not');
  return withoutCode(content)
    .replace(/<a\s[^<>]{0,300}href="(https?:\/\/[^"\s()]{1,2000})"[^<>]{0,300}>([^<>]*)<\/a>/gi, '[$2]($1)')
    .replace(/<(?:br|\/p|\/div|\/h\d|\/li)[^<>]*>/gi, '\n')
    .replace(/<[^<>]*>/g, '');
}

function listOf(panel: Fields, title: string, context: Context): string {
  context.losses.add(title, 'its list of dashboards', 'it becomes a link to the list, by tag');
  const tags = [...textsAt(panel, 'options', 'tags'), ...textsAt(panel, 'tags')].filter((tag) => tag !== '').slice(0, 20);
  if (tags.length === 0) return '[All dashboards](/dashboards)';
  return tags.map((tag) => `- [${tag.replace(/[[\]]/g, '')}](/dashboards?tag=${encodeURIComponent(tag).replace(/[()]/g, '')})`).join('\n');
}

/** What stands between `<script` or `<style` and its end. */
function withoutCode(html: string): string {
  const small = html.toLowerCase();
  let kept = '';
  let at = 0;
  while (at < html.length) {
    const begins = ['<script', '<style'].map((tag) => [small.indexOf(tag, at), tag] as const).filter(([place]) => place >= 0);
    const [begin, tag] = begins.sort(([a], [b]) => a - b)[0] ?? [html.length, ''];
    kept += html.slice(at, begin);
    const end = tag === '' ? -1 : small.indexOf(`</${tag.slice(1)}`, begin);
    at = end < 0 ? html.length : end;
  }
  return kept;
}
