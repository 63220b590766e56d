/** One panel in Grafana's words. Pure. */
import type { Panel, PanelQuery, Source, Threshold, Unit } from '../model.ts';
import type { Fields } from './fields.ts';
import { SOURCE } from './source.ts';
import { writeSteps } from './thresholds.ts';
import { GRAFANA_UNITS } from './units.ts';

type Drawing = Exclude<Panel, { kind: 'text' }>;
type Figures = Extract<Panel, { unit: Unit }>;

/** Lists of objects are named by `refId`, as Grafana does: A to Z, then A1. */
const refIdOf = (at: number): string => `${String.fromCharCode(65 + (at % 26))}${at < 26 ? '' : Math.floor(at / 26)}`;

type Asked = { readonly instant?: boolean; readonly format?: string };

const targetsOf = (queries: readonly PanelQuery[], { instant, format = 'time_series' }: Asked = {}): readonly Fields[] =>
  queries.map((query, at) => ({
    refId: refIdOf(at),
    datasource: SOURCE,
    editorMode: 'code',
    expr: query.expr,
    legendFormat: query.legend ?? '__auto',
    instant: instant === true || query.instant === true,
    range: !(instant === true || query.instant === true),
    format,
    ...(query.hidden === true ? { hide: true } : {}),
  }));

const anyOf = (label: string, ids: readonly string[]): string =>
  ids.length === 0 ? '' : `{${label}=~${JSON.stringify(ids.map((id) => id.replace(/[.+*?()|[\]{}^$\\]/g, '\\$&')).join('|'))}}`;

/** What stands for the ledger's own figures among the series; undefined for what no series tells. */
function queriesFor(source: Source, forSingle: boolean): readonly PanelQuery[] | undefined {
  switch (source.from) {
    case 'promql':
      return source.queries;
    case 'services':
      return [{ expr: `min by (service) (probe_success${anyOf('service', source.ids)})`, legend: '{{service}}' }];
    case 'checks':
      return [{ expr: `min by (service, check) (probe_success${anyOf('service', source.services)})`, legend: '{{service}} {{check}}' }];
    case 'slas': {
      const which = anyOf('sla', source.ids);
      const left = `1 - sla_error_budget_spent_seconds${which} / sla_error_budget_seconds${which}`;
      return [{ expr: source.figure === 'attained' ? `sla_attained_ratio${which}` : left, legend: '{{sla}}' }];
    }
    case 'alerts': {
      const severity = source.severity.length === 0 ? '' : `,severity=~"${source.severity.join('|')}"`;
      const which = `ALERTS{alertstate="firing"${severity}${source.matchers === '' ? '' : `,${source.matchers.replace(/^\{|\}$/g, '')}`}}`;
      return [
        forSingle
          ? { expr: `count(${which}) or vector(0)`, legend: 'open alerts' }
          : { expr: `count by (severity) (${which}) or vector(0)`, legend: '{{severity}}' },
      ];
    }
    case 'incidents':
      return undefined;
  }
}

export function panelFields(panel: Panel): Fields {
  const shared = {
    title: panel.title,
    description: panel.description,
    links: panel.links.map(({ title, url }) => ({ title, url: linkOf(url), targetBlank: false })),
  };
  if (panel.kind === 'text') return { ...shared, type: 'text', options: { mode: 'markdown', content: panel.markdown } };
  const drawn = drawnOf(panel);
  return { ...shared, datasource: SOURCE, ...(drawn ?? noteOf(panel)) };
}

/** A page of ours is another server's for Grafana; a dashboard has a place there too. */
const linkOf = (url: string): string => url.replace(/^\/dashboards\/([\w.-]+).*$/, '/d/$1');

const noteOf = (panel: Drawing): Fields => ({
  type: 'text',
  options: {
    mode: 'markdown',
    content: `${panel.kind === 'table' ? 'Incidents' : 'These figures'} are shown by Nines itself: no series tells them.`,
  },
});

function drawnOf(panel: Drawing): Fields | undefined {
  const single = panel.kind === 'card' || panel.kind === 'gauge';
  const queries = queriesFor(panel.source, single);
  if (queries === undefined) return undefined;
  switch (panel.kind) {
    case 'alert_list':
      return {
        type: 'alertlist',
        targets: [],
        options: { viewMode: 'list', maxItems: panel.limit, sortOrder: 3, stateFilter: { firing: true, pending: false } },
      };
    case 'slo_budget':
      return panel.show === 'burn_down' ? linesOf(queries, fieldsOf('ratio')) : budgetOf(panel.source);
    case 'status_timeline':
      return {
        type: 'state-timeline',
        targets: targetsOf(queries),
        fieldConfig: { defaults: STATES, overrides: [] },
        options: { showValue: 'never', mergeValues: true },
      };
    case 'state':
      return {
        type: 'stat',
        targets: targetsOf(queries),
        fieldConfig: { defaults: STATES, overrides: [] },
        options: singleOptions('last', { colorMode: 'background', graphMode: 'none' }),
      };
    default:
      return figuresOf(panel, queries);
  }
}

function budgetOf(source: Source): Fields {
  const queries = queriesFor(source.from === 'slas' ? { ...source, figure: 'budget_left' } : source, false) ?? [];
  const defaults = {
    ...fieldsOf('ratio'),
    min: 0,
    max: 1,
    thresholds: writeSteps([
      { at: 0, severity: 'critical', side: 'below' },
      { at: 0.25, severity: 'warning', side: 'below' },
    ]),
  };
  return {
    type: 'bargauge',
    targets: targetsOf(queries),
    fieldConfig: { defaults, overrides: [] },
    options: { ...singleOptions('last'), orientation: 'horizontal', displayMode: 'basic' },
  };
}

const STATES: Fields = {
  unit: 'short',
  color: { mode: 'thresholds' },
  mappings: [{ type: 'value', options: { '0': { text: 'down', color: 'red', index: 0 }, '1': { text: 'up', color: 'green', index: 1 } } }],
  thresholds: {
    mode: 'absolute',
    steps: [
      { color: 'red', value: null },
      { color: 'green', value: 1 },
    ],
  },
};

const fieldsOf = (unit: Unit): Fields => ({ unit: GRAFANA_UNITS[unit], color: { mode: 'palette-classic' } });

const CALCS = { last: 'lastNotNull', mean: 'mean', max: 'max', min: 'min', sum: 'sum', change: 'diff' } as const;

const singleOptions = (reduce: keyof typeof CALCS, more: Fields = {}): Fields => ({
  reduceOptions: { calcs: [CALCS[reduce]], fields: '', values: false },
  ...more,
});

const linesOf = (queries: readonly PanelQuery[], defaults: Fields): Fields => ({
  type: 'timeseries',
  targets: targetsOf(queries),
  fieldConfig: { defaults, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
});

type DrawnAs<Kind extends Panel['kind']> = Extract<Figures, { kind: Kind }>;

function figuresOf(panel: Figures, queries: readonly PanelQuery[]): Fields {
  const { thresholds } = panel;
  const range = {
    ...('min' in panel && panel.min !== undefined ? { min: panel.min } : {}),
    ...('max' in panel && panel.max !== undefined ? { max: panel.max } : {}),
  };
  const decimals = panel.decimals === undefined ? {} : { decimals: panel.decimals };
  const defaults = { ...fieldsOf(panel.unit), ...range, ...decimals };
  const coloured = { ...defaults, color: { mode: 'thresholds' }, thresholds: writeSteps(thresholds) };
  const config = (fields: Fields): Fields => ({ defaults: fields, overrides: [] });
  switch (panel.kind) {
    case 'line':
      return linesOf(queries, { ...defaults, ...charted(thresholds), custom: lineStyle(panel) });
    // Another server does not know the widget: its figures are lines there.
    case 'custom':
      return linesOf(queries, { ...defaults, ...charted(thresholds) });
    case 'bar':
      if (panel.by === 'time')
        return linesOf(queries, {
          ...defaults,
          ...charted(thresholds),
          custom: { ...barStyle(panel), thresholdsStyle: styleOf(thresholds) },
        });
      return {
        type: 'bargauge',
        targets: targetsOf(queries),
        fieldConfig: config(coloured),
        options: singleOptions(panel.reduce, { orientation: 'horizontal', displayMode: 'basic' }),
      };
    case 'card':
      return {
        type: 'stat',
        targets: targetsOf(queries),
        fieldConfig: config(coloured),
        options: singleOptions(panel.reduce, { graphMode: panel.sparkline ? 'area' : 'none', colorMode: 'value', textMode: 'auto' }),
      };
    case 'gauge':
      return {
        type: 'gauge',
        targets: targetsOf(queries),
        fieldConfig: config(coloured),
        options: singleOptions(panel.reduce, { showThresholdMarkers: true }),
      };
    case 'pie':
      return {
        type: 'piechart',
        targets: targetsOf(queries),
        fieldConfig: config(defaults),
        options: singleOptions(panel.reduce, {
          pieType: panel.hollow ? 'donut' : 'pie',
          legend: { displayMode: 'table', placement: 'right', values: ['value', 'percent'] },
        }),
      };
    case 'heatmap':
      return panel.mode === 'histogram' ? heatmapOf(panel, queries) : linesOf(queries, defaults);
    case 'table':
      return tableOf(panel, queries, config(coloured));
  }
}

/** A chart draws limits as lines; without any it says nothing of them. */
const charted = (thresholds: readonly Threshold[]): Fields => (thresholds.length === 0 ? {} : { thresholds: writeSteps(thresholds) });
const styleOf = (thresholds: readonly Threshold[]): Fields => ({ mode: thresholds.length === 0 ? 'off' : 'line' });

const lineStyle = ({ stack, fill, scale, thresholds }: DrawnAs<'line'>): Fields => ({
  drawStyle: 'line',
  lineWidth: 1,
  fillOpacity: fill ? 20 : 0,
  showPoints: 'never',
  stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
  scaleDistribution: scale === 'log' ? { type: 'log', log: 10 } : { type: 'linear' },
  thresholdsStyle: styleOf(thresholds),
});

const barStyle = ({ stack }: DrawnAs<'bar'>): Fields => ({
  drawStyle: 'bars',
  fillOpacity: 80,
  lineWidth: 0,
  stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
});

const heatmapOf = ({ unit }: DrawnAs<'heatmap'>, queries: readonly PanelQuery[]): Fields => ({
  type: 'heatmap',
  targets: targetsOf(queries, { format: 'heatmap' }).map((one) => ({ ...one, legendFormat: '{{le}}' })),
  fieldConfig: { defaults: {}, overrides: [] },
  options: { calculate: false, yAxis: { unit: GRAFANA_UNITS[unit] }, color: { mode: 'scheme', scheme: 'Blues' } },
});

/** Instant queries side by side: `Value #A` is called as the query's legend says. */
function tableOf({ columns, hide, sort, reduce }: DrawnAs<'table'>, queries: readonly PanelQuery[], fieldConfig: Fields): Fields {
  const many = queries.length > 1;
  const valueOf = (at: number): string => (many ? `Value #${refIdOf(at)}` : 'Value');
  const names = queries.flatMap(({ legend }, at) =>
    legend === undefined || legend.includes('{{') ? [] : [[valueOf(at), legend] as const],
  );
  const excludeByName = Object.fromEntries(['Time', '__name__', ...hide].map((name) => [name, true]));
  const indexByName = Object.fromEntries(columns.map((name, at) => [name, at]));
  const organize = { id: 'organize', options: { excludeByName, indexByName, renameByName: Object.fromEntries(names) } };
  return {
    type: 'table',
    targets: targetsOf(queries, { instant: reduce === 'last', format: 'table' }),
    transformations: [...(many ? [{ id: 'merge', options: {} }] : []), organize],
    fieldConfig,
    options: { showHeader: true, ...(sort === undefined ? {} : { sortBy: [{ displayName: sort.by, desc: sort.down }] }) },
  };
}
