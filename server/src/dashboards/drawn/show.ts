import type { UnitKind } from '@nines/base/quantity.ts';
import {
  correlations,
  crossed,
  histogramCells,
  hoursByWeekdays,
  type NamedSeries,
  reduced,
  slicesOf,
  unitQuantity,
} from '@nines/maths/dashboards/figures.ts';
import { lengthInWords } from '@nines/base/length-words.ts';
import type { State } from '@nines/maths/slo/types.ts';
import type { SlaView } from '../../sla/contract.ts';
import type { Panel, Source } from '../model.ts';
import { INK_OF, LINE, STATE_NAMES, seriesColour } from './colours.ts';
import type { Item, Shown } from './shown.ts';
import { type Reading, failure, stepOf } from './sources.ts';

type PanelOf<Kind extends Panel['kind']> = Extract<Panel, { kind: Kind }>;
type SourceOf<From extends Source['from']> = Extract<Source, { from: From }>;

const nothing = (why: string): Shown => ({ kind: 'nothing', why });
const NO_SERIES = 'Nothing was measured within this time.';
const NO_SERVICES = 'There is no service to see.';
const NO_SLAS = 'Nothing is promised yet.';

/** What a panel shows. What fails says so in its place and leaves the others alone. */
export async function shownOf(panel: Panel, reading: Reading): Promise<Shown> {
  try {
    return await bodyOf(panel, reading);
  } catch (thrown) {
    return nothing(reading.asked.isPublic ? 'This cannot be shown now.' : `This could not be read: ${failure(thrown)}`);
  }
}

async function bodyOf(panel: Panel, reading: Reading): Promise<Shown> {
  if (panel.kind !== 'text' && !reading.asked.reads(panel.source.from)) return nothing('Figures of this kind may not be read.');
  switch (panel.kind) {
    case 'text':
      return { kind: 'words', lines: plain(reading.text(panel.markdown)) };
    case 'alert_list':
      return panel.source.from === 'alerts' ? alertTable(panel.source, panel.limit, reading) : nothing('');
    case 'slo_budget':
      return panel.source.from === 'slas' ? budgets(panel.source, reading) : nothing('');
    case 'status_timeline':
      return panel.source.from === 'services' ? strips(panel.source, reading) : nothing('');
    case 'state':
      if (panel.source.from === 'checks') return checkTable(panel.source, reading);
      return panel.source.from === 'services' ? serviceTable(panel.source, reading) : nothing('');
    default:
      return panel.source.from === 'promql' || (panel.source.from === 'slas' && panel.kind !== 'card' && panel.kind !== 'table')
        ? figures(panel, reading)
        : records(panel, panel.source, reading);
  }
}

type Figures = Exclude<Panel, { kind: 'text' | 'alert_list' | 'slo_budget' | 'status_timeline' | 'state' }>;

async function figures(panel: Figures, reading: Reading): Promise<Shown> {
  const series = await reading.series(panel.source);
  if (series.length === 0) return nothing(NO_SERIES);
  const { asked } = reading;
  switch (panel.kind) {
    case 'line':
      return lines(panel, series, reading);
    case 'bar':
      return panel.by === 'time'
        ? lines(panel, series, reading)
        : { kind: 'bars', items: byValue(reducedItems(series, panel.reduce)).slice(0, panel.top), unit: panel.unit };
    case 'card':
      return card(panel, series);
    case 'gauge':
      return gauge(panel, series);
    case 'pie':
      return { kind: 'pie', items: shares(panel, series), unit: panel.unit, hollow: panel.hollow };
    case 'table':
      return seriesTable(panel, series);
    // Its script runs in browsers alone: the last values stand for what it draws.
    case 'custom':
      return { kind: 'bars', items: byValue(reducedItems(series, 'last')), unit: panel.unit };
    case 'heatmap': {
      if (panel.mode === 'correlation') return { kind: 'cells', ...correlations(series) };
      if (panel.mode === 'hour_by_weekday') return { kind: 'cells', ...hoursByWeekdays(series, utcClock) };
      return { kind: 'cells', ...histogramCells(series, (atMs) => clockText(atMs, asked.toMs - asked.fromMs)) };
    }
  }
}

/** A part keeps its colour whatever becomes of its size; what is left over has none and comes last. */
function shares(panel: PanelOf<'pie'>, series: readonly NamedSeries[]): readonly Item[] {
  const asked = panel.source.from === 'promql' ? panel.source.queries.filter(({ hidden }) => hidden !== true) : [];
  const left = new Set(series.flatMap(({ query, name }) => (asked[query]?.rest === true ? [name] : [])));
  const slices = slicesOf(reducedItems(series, panel.reduce)).toSorted((a, b) => Number(left.has(a.name)) - Number(left.has(b.name)));
  return slices.map((one) => ({
    name: one.name,
    value: one.value,
    colour: left.has(one.name) ? LINE : seriesColour(one.hue),
  }));
}

const utcClock = (atMs: number): readonly [number, number] => [new Date(atMs).getUTCDay(), new Date(atMs).getUTCHours()];
const DAY_MS = 86_400_000;
/** `14:05`, or `11-22` where a stretch is of days; UTC. */
export const clockText = (atMs: number, lengthMs: number): string => {
  const iso = new Date(atMs).toISOString();
  return lengthMs > 2 * DAY_MS ? iso.slice(5, 10) : iso.slice(11, 16);
};

function lines(panel: PanelOf<'line' | 'bar'>, series: readonly NamedSeries[], { asked }: Reading): Shown {
  const isLine = panel.kind === 'line';
  return {
    kind: 'lines',
    lines: series.map(({ name, points }) => ({ name, points })),
    unit: panel.unit,
    thresholds: panel.thresholds,
    look: {
      bars: !isLine,
      stack: panel.stack,
      fill: isLine && panel.fill,
      log: isLine && panel.scale === 'log',
      min: panel.min,
      max: panel.max,
    },
    span: { fromMs: asked.fromMs, toMs: asked.toMs },
    gapMs: 2.5 * stepOf(asked),
  };
}

const reducedItems = (series: readonly NamedSeries[], how: PanelOf<'pie'>['reduce']): readonly Item[] =>
  series.flatMap(({ name, points }) => {
    const value = reduced(points, how);
    return value === undefined ? [] : [{ name, value }];
  });
const byValue = (items: readonly Item[]): readonly Item[] => [...items].sort((a, b) => b.value - a.value);

function card(panel: PanelOf<'card'>, series: readonly NamedSeries[]): Shown {
  const [first] = series;
  const value = first === undefined ? undefined : reduced(first.points, panel.reduce);
  if (first === undefined || value === undefined) return nothing(NO_SERIES);
  const { number, unit } = unitQuantity(value, panel.unit, panel.decimals);
  const limit = crossed(value, panel.thresholds);
  const note = series.length > 1 ? `${first.name}, the first of ${series.length}` : '';
  return {
    kind: 'figure',
    text: number,
    unit,
    note,
    spark: panel.sparkline ? first.points : [],
    ...(limit === undefined ? {} : { colour: INK_OF[limit.severity] }),
  };
}

function gauge(panel: PanelOf<'gauge'>, series: readonly NamedSeries[]): Shown {
  const value = reduced(series[0]?.points ?? [], panel.reduce);
  if (value === undefined) return nothing(NO_SERIES);
  const min = panel.min ?? Math.min(0, value);
  const max = panel.max ?? topOf(value, panel.unit);
  const limit = crossed(value, panel.thresholds);
  return { kind: 'gauge', value, unit: panel.unit, min, max, ...(limit === undefined ? {} : { colour: INK_OF[limit.severity] }) };
}

const topOf = (value: number, unit: UnitKind): number =>
  unit === 'percent' ? Math.max(100, value) : unit === 'ratio' ? Math.max(1, value) : Math.max(1, 2 * value);

function seriesTable(panel: PanelOf<'table'>, series: readonly NamedSeries[]): Shown {
  const text = (value: number | undefined): string => {
    if (value === undefined) return '';
    const { number, unit } = unitQuantity(value, panel.unit, panel.decimals);
    return unit === '' ? number : `${number} ${unit}`;
  };
  const rows = series.map(({ name, points }) => [name, text(reduced(points, panel.reduce))]);
  return { kind: 'table', columns: ['', 'Value'], rows, right: [1] };
}

async function records(panel: Figures, source: Source, reading: Reading): Promise<Shown> {
  switch (source.from) {
    case 'services':
      if (panel.kind === 'pie') return stateShares(source, reading);
      return panel.kind === 'card' ? worstService(source, reading) : serviceTable(source, reading);
    case 'slas':
      return panel.kind === 'card' ? kept(source, reading) : slaTable(source, reading);
    case 'checks':
      return checkTable(source, reading);
    case 'incidents': {
      const found = await reading.incidents(source.status);
      if (panel.kind === 'card') return count(found.length, source.status === 'open' ? 'open' : 'in all');
      const rows = found.map((one) => [`#${one.number} ${one.title}`, one.severity, one.state, minute(one.started_at_ms)]);
      return rows.length === 0
        ? nothing('No incident is open.')
        : { kind: 'table', columns: ['Incident', 'Severity', 'State', 'Since'], rows, right: [] };
    }
    case 'alerts':
      return panel.kind === 'table' ? alertTable(source, 100, reading) : alertShares(panel, source, reading);
    default:
      return nothing('');
  }
}

const count = (value: number, note: string): Shown => ({ kind: 'figure', text: String(value), unit: '', note, spark: [] });
export const minute = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');

function worstService({ ids }: SourceOf<'services'>, reading: Reading): Shown {
  const found = reading.services(ids);
  const [worst] = found;
  if (worst === undefined) return nothing(NO_SERVICES);
  const here = found.filter(({ state }) => state === worst.state).length;
  const note = `${here} of ${found.length} ${found.length === 1 ? 'service' : 'services'}`;
  return { kind: 'figure', text: STATE_NAMES[worst.state], unit: '', note, spark: [], colour: INK_OF[worst.state] };
}

function stateShares({ ids }: SourceOf<'services'>, reading: Reading): Shown {
  const found = reading.services(ids);
  if (found.length === 0) return nothing(NO_SERVICES);
  const states: readonly State[] = ['up', 'degraded', 'down', 'unknown'];
  const items = states.map((state) => ({
    name: STATE_NAMES[state],
    value: found.filter((one) => one.state === state).length,
    colour: INK_OF[state],
  }));
  return { kind: 'pie', items: items.filter(({ value }) => value > 0), unit: 'number', hollow: true };
}

function checkTable({ services }: SourceOf<'checks'>, reading: Reading): Shown {
  const rows = reading.checks(services).map(({ id, name, kind, state }) => [name ?? id, kind, STATE_NAMES[state]]);
  return rows.length === 0 ? nothing('No check runs yet.') : { kind: 'table', columns: ['Check', 'Kind', 'State'], rows, right: [] };
}

function serviceTable({ ids }: SourceOf<'services'>, reading: Reading): Shown {
  const found = reading.services(ids);
  if (found.length === 0) return nothing(NO_SERVICES);
  const rows = found.map(({ name, state, sinceMs }) => [name, STATE_NAMES[state], minute(sinceMs)]);
  return { kind: 'table', columns: ['Service', 'State', 'Since'], rows, right: [] };
}

async function strips({ ids }: SourceOf<'services'>, reading: Reading): Promise<Shown> {
  const found = await reading.strips(ids);
  const { fromMs, toMs } = reading.asked;
  return found.length === 0 ? nothing(NO_SERVICES) : { kind: 'strips', strips: found, span: { fromMs, toMs } };
}

/** Truncated to five digits of a percentage: a figure is never rounded up. */
const percent = (ratio: number): string => `${(Math.floor(ratio * 1e7) / 1e5).toFixed(3)} %`;
const attained = ({ attained: ratio }: SlaView): string => (ratio === null ? 'not known' : percent(ratio));
const STATUS: Readonly<Record<SlaView['status'], string>> = { met: 'Met', at_risk: 'At risk', breached: 'Breached', unknown: 'Unknown' };
const nameOf = ({ name, id }: SlaView): string => (name === '' ? id : name);

async function kept({ ids }: SourceOf<'slas'>, reading: Reading): Promise<Shown> {
  const found = await reading.slas(ids);
  const [worst] = found;
  if (worst === undefined) return nothing(NO_SLAS);
  if (found.length === 1)
    return {
      kind: 'figure',
      text: attained(worst),
      unit: '',
      note: `${STATUS[worst.status]}, promised ${percent(worst.target)}`,
      spark: [],
      colour: INK_OF[worst.status],
    };
  const held = found.filter(({ status }) => status === 'met' || status === 'at_risk').length;
  return {
    kind: 'figure',
    text: String(held),
    unit: `of ${found.length} kept`,
    note: `${nameOf(worst)}: ${attained(worst)}`,
    spark: [],
    colour: INK_OF[worst.status],
  };
}

async function slaTable({ ids }: SourceOf<'slas'>, reading: Reading): Promise<Shown> {
  const found = await reading.slas(ids);
  if (found.length === 0) return nothing(NO_SLAS);
  const rows = found.map((one) => [nameOf(one), STATUS[one.status], percent(one.target), attained(one)]);
  return { kind: 'table', columns: ['Contract', 'Verdict', 'Promised', 'Attained'], rows, right: [2, 3] };
}

async function budgets({ ids }: SourceOf<'slas'>, reading: Reading): Promise<Shown> {
  const found = await reading.slas(ids);
  if (found.length === 0) return nothing(NO_SLAS);
  const rows = found.map((one) => [
    nameOf(one),
    STATUS[one.status],
    attained(one),
    lengthInWords(one.budget.spent_ms),
    lengthInWords(Math.max(0, one.budget.remaining_ms)),
  ]);
  return { kind: 'table', columns: ['Contract', 'Verdict', 'Attained', 'Budget spent', 'Budget left'], rows, right: [2, 3, 4] };
}

async function alertTable(source: SourceOf<'alerts'>, limit: number, reading: Reading): Promise<Shown> {
  const found = (await reading.alerts(source)).slice(0, limit);
  if (found.length === 0) return nothing(source.status === 'open' ? 'No alert is open.' : 'There were no alerts.');
  const rows = found.map((one) => [one.alertname, one.severity, one.state, one.service ?? '', minute(one.starts_at_ms)]);
  return { kind: 'table', columns: ['Alert', 'Severity', 'State', 'Service', 'Since'], rows, right: [] };
}

const SEVERITIES = ['emergency', 'critical', 'warning', 'info'] as const;

async function alertShares(panel: Figures, source: SourceOf<'alerts'>, reading: Reading): Promise<Shown> {
  const found = await reading.alerts(source);
  if (panel.kind === 'card') return count(found.length, source.status === 'open' ? 'open' : 'in all');
  if (found.length === 0) return nothing(source.status === 'open' ? 'No alert is open.' : 'There were no alerts.');
  const items = SEVERITIES.map((name) => ({ name, value: found.filter(({ severity }) => severity === name).length, colour: INK_OF[name] }));
  const some = items.filter(({ value }) => value > 0);
  return panel.kind === 'pie'
    ? { kind: 'pie', items: some, unit: 'number', hollow: panel.hollow }
    : { kind: 'bars', items: some, unit: 'number' };
}

/** Markdown as lines of plain words. */
const plain = (markdown: string): readonly string[] =>
  markdown.split('\n').map((line) =>
    line
      .replace(/^#{1,6}\s+/, '')
      .replace(/^\s*[-*]\s+/, '• ')
      .replace(/\*\*|__|`/g, '')
      .replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1'),
  );
