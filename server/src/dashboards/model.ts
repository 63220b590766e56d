/**
 * What a dashboard is, as written in a file, sent to the API and kept: panels that show something, apart from the layout that places them,
 * so that one panel stands in several dashboards' shapes without being written twice. Perses' model is the example. Lengths of time are
 * texts as in the configuration (`30s`); `schema` grows when a document of before would read differently, and `migrate.ts` brings it up.
 */
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, plainText, slug } from '../platform/config/fields.ts';

/** The version that this server writes. */
export const DASHBOARD_SCHEMA = 1;

export const MAX_PANELS = 200;
export const MAX_QUERIES = 20;
export const MAX_EXPR_CHARS = 10_000;
export const MAX_VARIABLES = 30;
const MAX_VALUES = 1_000;
const MAX_THRESHOLDS = 10;
export const MAX_LINKS = 20;
/** Sections of one layout. */
export const MAX_SECTIONS = 50;
export const MAX_ANNOTATIONS = 20;
const MAX_NAMES = 100;
const MAX_TEXT_CHARS = 50_000;
const MAX_TITLE_CHARS = 200;
/** Columns of the grid, and the tallest a panel may be in rows of it. */
export const GRID_COLUMNS = 24;
const MAX_GRID_ROWS = 10_000;
const MAX_PANEL_ROWS = 100;
/** A slice more is drawn as "other". */
export const MAX_SLICES = 6;

export const UNITS = [
  'number',
  'percent',
  'ratio',
  'bytes',
  'bytes_per_second',
  'seconds',
  'milliseconds',
  'per_second',
  'currency',
] as const;
export type Unit = (typeof UNITS)[number];

/** How one number is made of the values in the range. `change` is last minus first. */
export const REDUCERS = ['last', 'mean', 'max', 'min', 'sum', 'change'] as const;

const title = plainText.max(MAX_TITLE_CHARS);
const names = z.array(plainText.min(1).max(MAX_TITLE_CHARS)).max(MAX_NAMES).default([]);
const lengthText = (limits: { readonly minMs: number; readonly maxMs: number }) =>
  z.string().refine((text) => duration(limits).safeParse(text).success, 'write a length of time such as 30s, 1h or 7d');

const query = z.strictObject({
  /** PromQL; `$name` and `${name}` stand for variables, `$__range`, `$__interval` and `$__rate_interval` for lengths of time. */
  expr: plainText.min(1).max(MAX_EXPR_CHARS),
  /** What a series is called: `{{instance}}`; absent: its labels that differ. */
  legend: plainText.max(MAX_TITLE_CHARS).optional(),
  /** Asked for at the end of the range only. */
  instant: z.boolean().optional(),
  hidden: z.boolean().optional(),
  /** Of shares: what is left over, drawn as the empty part of the ring. */
  rest: z.boolean().optional(),
});
export type PanelQuery = z.output<typeof query>;

/**
 * Where a panel's figures come from. Other sources than PromQL are the ledger's and the inbox's own figures, with their doubt; empty `ids`
 * means all that the reader may see.
 */
const matchers = plainText.max(MAX_EXPR_CHARS).refine((text) => text === '' || parseMatchers(text).ok, 'write matchers such as env="prod"');
const promql = z.strictObject({ from: z.literal('promql'), queries: z.array(query).min(1).max(MAX_QUERIES) });
const services = z.strictObject({ from: z.literal('services'), ids: names });
const slas = z.strictObject({ from: z.literal('slas'), ids: names, figure: z.enum(['attained', 'budget_left']).default('attained') });
const checks = z.strictObject({ from: z.literal('checks'), services: names });
const incidents = z.strictObject({ from: z.literal('incidents'), status: z.enum(['open', 'all']).default('open') });
const alerts = z.strictObject({
  from: z.literal('alerts'),
  status: z.enum(['open', 'all']).default('open'),
  severity: z
    .array(z.enum(['info', 'warning', 'critical', 'emergency']))
    .max(4)
    .default([]),
  matchers: matchers.default(''),
});
const source = z.discriminatedUnion('from', [promql, services, slas, checks, incidents, alerts]);
export type Source = z.output<typeof source>;
export type SourceKind = Source['from'];

const threshold = z.strictObject({
  at: z.number(),
  severity: z.enum(['warning', 'critical']),
  /** Which side of it is bad. */
  side: z.enum(['above', 'below']).default('above'),
  name: title.optional(),
});
export type Threshold = z.output<typeof threshold>;

const link = z.strictObject({
  title: title.min(1),
  /** Inside the product or elsewhere; variables stand in it as in a query. */
  url: plainText.max(2_000).refine((url) => /^(?:\/(?!\/)|https?:\/\/)/.test(url), 'write a path such as /services or an http(s) address'),
});

const shared = {
  title: title.default(''),
  description: plainText.max(MAX_TEXT_CHARS).default(''),
  links: z.array(link).max(MAX_LINKS).default([]),
};
const figures = {
  ...shared,
  unit: z.enum(UNITS).default('number'),
  decimals: z.int().min(0).max(10).optional(),
  thresholds: z.array(threshold).max(MAX_THRESHOLDS).default([]),
};
const range = { min: z.number().optional(), max: z.number().optional() };
const reduce = z.enum(REDUCERS).default('last');
const top = z.int().min(1).max(MAX_NAMES).default(10);

const KINDS = [
  z.strictObject({
    kind: z.literal('card'),
    ...figures,
    source,
    reduce,
    sparkline: z.boolean().default(true),
    compare: z.enum(['none', 'period']).default('period'),
  }),
  z.strictObject({
    kind: z.literal('line'),
    ...figures,
    ...range,
    source,
    stack: z.boolean().default(false),
    fill: z.boolean().default(false),
    scale: z.enum(['linear', 'log']).default('linear'),
  }),
  z.strictObject({
    kind: z.literal('bar'),
    ...figures,
    ...range,
    source,
    by: z.enum(['time', 'series']).default('time'),
    stack: z.boolean().default(false),
    reduce,
    top,
  }),
  z.strictObject({ kind: z.literal('pie'), ...figures, source, reduce, hollow: z.boolean().default(true) }),
  z.strictObject({ kind: z.literal('gauge'), ...figures, ...range, source, reduce }),
  z.strictObject({
    kind: z.literal('heatmap'),
    ...figures,
    source,
    mode: z.enum(['histogram', 'correlation', 'hour_by_weekday']).default('histogram'),
  }),
  z.strictObject({
    kind: z.literal('table'),
    ...figures,
    source,
    reduce,
    columns: names,
    hide: names,
    sort: z.strictObject({ by: title.min(1), down: z.boolean().default(true) }).optional(),
  }),
  z.strictObject({ kind: z.literal('alert_list'), ...shared, source, limit: z.int().min(1).max(200).default(20) }),
  z.strictObject({ kind: z.literal('text'), ...shared, markdown: plainText.max(MAX_TEXT_CHARS) }),
  z.strictObject({ kind: z.literal('slo_budget'), ...shared, source, show: z.enum(['card', 'burn_down']).default('card') }),
  z.strictObject({ kind: z.literal('status_timeline'), ...shared, source }),
  z.strictObject({ kind: z.literal('state'), ...shared, source }),
  /** Drawn by a script that an administrator registered, in a frame of no origin; `options` are handed to it as they are. */
  z.strictObject({
    kind: z.literal('custom'),
    ...figures,
    source,
    widget: z.union([z.literal(''), slug]).default(''),
    options: z.record(slug, z.union([plainText.max(MAX_TITLE_CHARS), z.number(), z.boolean()])).default({}),
  }),
] as const;

const panelUnion = z.discriminatedUnion('kind', KINDS);
export type Panel = z.output<typeof panelUnion>;
export type PanelKind = Panel['kind'];
export const PANEL_KINDS = KINDS.map((one) => one.shape.kind.value);

/** What a kind of panel can draw; the first is what a new one begins with. A text has no source. */
export const SOURCES_OF = {
  card: ['promql', 'slas', 'services', 'alerts', 'incidents'],
  line: ['promql', 'slas'],
  bar: ['promql', 'slas', 'alerts'],
  pie: ['promql', 'services', 'alerts'],
  gauge: ['promql', 'slas'],
  heatmap: ['promql'],
  table: ['promql', 'services', 'slas', 'checks', 'incidents', 'alerts'],
  alert_list: ['alerts'],
  text: [],
  slo_budget: ['slas'],
  status_timeline: ['services'],
  state: ['services', 'checks'],
  custom: ['promql', 'slas'],
} as const satisfies Record<PanelKind, readonly SourceKind[]>;

export const panelSpec = panelUnion.superRefine((one, context) => {
  if (one.kind === 'text') return;
  const possible: readonly SourceKind[] = SOURCES_OF[one.kind];
  if (possible.includes(one.source.from)) return;
  const message = `a panel of kind ${one.kind} draws ${possible.join(', ')}, not ${one.source.from}`;
  context.addIssue({ code: 'custom', message, path: ['source', 'from'] });
});

/** A place on the grid, in columns and rows of it; `row` names the row of the layout that it belongs to. */
const item = z.strictObject({
  panel: slug,
  x: z
    .int()
    .min(0)
    .max(GRID_COLUMNS - 1),
  y: z.int().min(0).max(MAX_GRID_ROWS),
  w: z.int().min(1).max(GRID_COLUMNS),
  h: z.int().min(1).max(MAX_PANEL_ROWS),
});
export type GridItem = z.output<typeof item>;

const flow = z.array(slug).max(MAX_PANELS);
const section = { title: title.default(''), collapsed: z.boolean().default(false) };
/** Sections of one layout, in order; each with its panels in order, or placed by hand. On a phone all of them are one column. */
const layout = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('grid'),
    sections: z
      .array(z.strictObject({ ...section, panels: flow }))
      .min(1)
      .max(MAX_SECTIONS),
  }),
  z.strictObject({
    kind: z.literal('one_column'),
    sections: z
      .array(z.strictObject({ ...section, panels: flow }))
      .min(1)
      .max(MAX_SECTIONS),
  }),
  z.strictObject({
    kind: z.literal('two_columns'),
    sections: z
      .array(z.strictObject({ ...section, panels: flow }))
      .min(1)
      .max(MAX_SECTIONS),
  }),
  z.strictObject({
    kind: z.literal('three_columns'),
    sections: z
      .array(z.strictObject({ ...section, panels: flow }))
      .min(1)
      .max(MAX_SECTIONS),
  }),
  z.strictObject({
    kind: z.literal('custom'),
    sections: z
      .array(z.strictObject({ ...section, items: z.array(item).max(MAX_PANELS) }))
      .min(1)
      .max(MAX_SECTIONS),
  }),
]);
export type Layout = z.output<typeof layout>;

const variableName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/, 'write letters, digits and "_", starting with a letter');
const variableShared = {
  name: variableName,
  label: title.default(''),
  hidden: z.boolean().default(false),
};
const choice = {
  multi: z.boolean().default(false),
  all: z.boolean().default(false),
  value: z.array(plainText.max(MAX_TITLE_CHARS)).max(MAX_VALUES).default([]),
};
/** `value` is what is chosen at first; empty: the first there is, or all where `all` is allowed. */
export const variableSpec = z.discriminatedUnion('kind', [
  /** Values of `label` over the series that `matchers` select (with earlier variables in them), or results of `expr` by their `label`. */
  z.strictObject({
    kind: z.literal('query'),
    ...variableShared,
    ...choice,
    label_name: plainText.min(1).max(MAX_TITLE_CHARS),
    match: plainText.max(MAX_EXPR_CHARS).default(''),
    regex: plainText.max(500).default(''),
  }),
  z.strictObject({
    kind: z.literal('list'),
    ...variableShared,
    ...choice,
    values: z.array(plainText.max(MAX_TITLE_CHARS)).min(1).max(MAX_VALUES),
  }),
  z.strictObject({ kind: z.literal('text'), ...variableShared, value: plainText.max(MAX_TITLE_CHARS).default('') }),
  z.strictObject({
    kind: z.literal('interval'),
    ...variableShared,
    values: z
      .array(lengthText({ minMs: SECOND_MS, maxMs: 366 * DAY_MS }))
      .min(1)
      .max(50),
    value: z.string().default(''),
  }),
]);
export type Variable = z.output<typeof variableSpec>;

/** What is drawn behind time charts: bands for what lasts, lines for instants. */
const annotation = z.discriminatedUnion('from', [
  z.strictObject({
    from: z.enum(['deployments', 'incidents', 'maintenance', 'alerts']),
    title: title.default(''),
    shown: z.boolean().default(true),
  }),
  z.strictObject({
    from: z.literal('promql'),
    title: title.default(''),
    shown: z.boolean().default(true),
    expr: plainText.min(1).max(MAX_EXPR_CHARS),
  }),
]);
export type Annotation = z.output<typeof annotation>;

export const REFRESHES = ['live', '5s', '30s', '1m', 'off'] as const;

/** A dashboard. */
export const dashboardSpec = z
  .strictObject({
    schema: z.literal(DASHBOARD_SCHEMA).default(DASHBOARD_SCHEMA),
    id: slug,
    title: title.min(1, 'a title is needed'),
    description: plainText.max(MAX_TEXT_CHARS).default(''),
    tags: names,
    folder: title.default(''),
    panels: z
      .record(slug, panelSpec)
      .refine((all) => Object.keys(all).length <= MAX_PANELS, `a dashboard has at most ${MAX_PANELS} panels`),
    layout,
    variables: z.array(variableSpec).max(MAX_VARIABLES).default([]),
    annotations: z.array(annotation).max(MAX_ANNOTATIONS).default([]),
    /** How long back it shows at first. */
    range: lengthText({ minMs: MINUTE_MS, maxMs: 3_660 * DAY_MS }).default('6h'),
    refresh: z.enum(REFRESHES).default('live'),
  })
  .superRefine(({ panels, layout: placed, variables }, context) => {
    const seen = new Set<string>();
    placed.sections.forEach((one, at) => {
      const ids = 'items' in one ? one.items.map(({ panel: id }) => id) : one.panels;
      const field = 'items' in one ? 'items' : 'panels';
      ids.forEach((id, index) => {
        const path = ['layout', 'sections', at, field, index];
        if (!Object.hasOwn(panels, id)) context.addIssue({ code: 'custom', message: `there is no panel "${id}"`, path });
        if (seen.has(id)) context.addIssue({ code: 'custom', message: `the panel "${id}" is placed twice`, path });
        seen.add(id);
      });
      if (!('items' in one)) return;
      one.items.forEach(({ x, w }, index) => {
        if (x + w > GRID_COLUMNS)
          context.addIssue({
            code: 'custom',
            message: `reaches beyond the ${GRID_COLUMNS} columns`,
            path: ['layout', 'sections', at, 'items', index, 'w'],
          });
      });
    });
    for (const id of Object.keys(panels))
      if (!seen.has(id))
        context.addIssue({ code: 'custom', message: 'the panel is placed nowhere: name it in the layout', path: ['panels', id] });
    const known = new Set<string>();
    variables.forEach(({ name }, index) => {
      if (known.has(name))
        context.addIssue({ code: 'custom', message: `the variable "${name}" is declared twice`, path: ['variables', index, 'name'] });
      known.add(name);
    });
  });
export type DashboardSpec = z.output<typeof dashboardSpec>;
export type WrittenDashboard = z.input<typeof dashboardSpec>;
