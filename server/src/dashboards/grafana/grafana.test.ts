import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  GRID_COLUMNS,
  dashboardSpec,
  type DashboardSpec,
  type Panel,
  PANEL_KINDS,
  REDUCERS,
  REFRESHES,
  SOURCES_OF,
  UNITS,
} from '../model.ts';
import { SHIPPED_DASHBOARDS } from '../shipped.ts';
import { exportGrafana, exportPanel } from './export.ts';
import { type Imported, importGrafana } from './import.ts';

const FOLDER = join(import.meta.dirname, '../../../../test/grafana');
const files = readdirSync(FOLDER).sort();
const readFile = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));

function imported(file: unknown): Imported {
  const read = importGrafana(file);
  assert.ok(read.ok, read.ok ? '' : `${read.error.place}: ${read.error.message}`);
  return read.value;
}
const faultOf = (file: unknown): string => {
  const read = importGrafana(file);
  assert.ok(!read.ok);
  return `${read.error.place}: ${read.error.message}`;
};
const panel = (change: object = {}): object => ({
  id: 1,
  type: 'timeseries',
  title: 'Load',
  gridPos: { x: 0, y: 0, w: 12, h: 8 },
  targets: [{ refId: 'A', expr: 'node_load1', legendFormat: '{{instance}}' }],
  ...change,
});
const classic = (panels: readonly object[], change: object = {}): object => ({ title: 'T', panels, ...change });
const only = (change: object, around: object = {}) => {
  const { spec, losses } = imported(classic([panel(change)], around));
  return { panel: Object.values(spec.panels)[0], losses: losses.filter(({ panel: of }) => of !== '').map(({ what }) => what), spec };
};
const exprsOf = (one: Panel | undefined): readonly string[] =>
  one === undefined || one.kind === 'text' || one.source.from !== 'promql' ? [] : one.source.queries.map(({ expr }) => expr);

test('a corpus in three schemas: at least 95 of 100 panels convert, and each that does not is told', () => {
  let [found, converted] = [0, 0];
  for (const name of files) {
    const one = imported(readFile(name));
    found += one.found;
    converted += one.converted;
    const told = one.losses.filter(({ what }) => what.startsWith('the panel'));
    assert.equal(told.length, one.found - one.converted, `${name}: panels left out and told`);
    assert.equal(Object.keys(one.spec.panels).length, one.converted);
    for (const { what, why } of one.losses) assert.ok(what !== '' && why !== '');
    assert.doesNotMatch(JSON.stringify(one.spec), /DS_PROMETHEUS|\[\[/, `${name}: no data source is left to resolve`);
  }
  assert.ok(converted / found >= 0.95, `${converted} of ${found}`);
  const schemas = new Set(files.map((name) => imported(readFile(name)).schema));
  assert.deepEqual(schemas, new Set(['classic', 'v1', 'v2']));
});

test('the big one: rows, variables, units, what is drawn downwards', () => {
  const { spec } = imported(readFile('hosts-classic.json'));
  assert.deepEqual([spec.range, spec.refresh, spec.layout.sections.length], ['1d', '1m', 11]);
  assert.deepEqual(
    spec.layout.sections.slice(0, 4).map(({ title, collapsed }) => [title, collapsed]),
    [
      ['Quick CPU / Mem / Disk', false],
      ['Basic CPU / Mem / Net / Disk', false],
      ['CPU / Memory / Net / Disk', false],
      ['Memory Meminfo', true],
    ],
  );
  assert.deepEqual(
    spec.variables.map(({ kind, name }) => `${kind} ${name}`),
    ['query job', 'query node', 'list diskdevices'],
  );
  assert.deepEqual(spec.variables[1], {
    kind: 'query',
    name: 'node',
    label: 'Node',
    hidden: false,
    multi: false,
    all: false,
    value: [],
    label_name: 'instance',
    match: 'node_uname_info{job="$job"}',
    regex: '',
  });
  assert.match(exprsOf(spec.panels['network-traffic-basic'])[1] ?? '', /^0\.125 \* \(-\(rate\(node_network_transmit/);
  const busy = spec.panels['cpu-busy'];
  assert.ok(busy?.kind === 'gauge');
  assert.deepEqual(
    [busy.unit, busy.min, busy.max, busy.thresholds.map(({ at, severity }) => [at, severity])],
    [
      'percent',
      0,
      100,
      [
        [85, 'warning'],
        [95, 'critical'],
      ],
    ],
  );
});

test('V2: tabs and rows become parts, an auto grid the columns, library panels are told', () => {
  const tabs = imported(readFile('kubernetes-v2.json'));
  assert.deepEqual(
    tabs.spec.layout.sections.map(({ title }) => title),
    ['Cluster · Headlines', 'Cluster · Usage', 'Cluster · Table', 'Workloads · Compute', 'Workloads · Storage'],
  );
  assert.ok(tabs.losses.some(({ panel: title, why }) => title === 'Shared' && /library panel/.test(why)));
  const auto = imported(readFile('red-use-v2alpha1.json'));
  assert.deepEqual(
    [auto.spec.layout.kind, auto.losses.map(({ what }) => what), auto.spec.range],
    ['three_columns', ['how lines, legends and tooltips look'], '3h'],
  );
});

test('the old ones: rows of spans, [[variables]], constants of __inputs, singlestats', () => {
  const { spec } = imported(readFile('nginx-old-rows.json'));
  assert.deepEqual(exprsOf(spec.panels['processed']), [
    'irate(nginx_connections_accepted{instance=~"${instance}"}[5m])',
    '-(irate(nginx_connections_handled{instance=~"${instance}"}[5m]))',
  ]);
  assert.deepEqual([spec.panels['up']?.kind, spec.panels['by-status']?.kind, spec.panels['by-server']?.kind], ['card', 'bar', 'table']);
  const up = spec.panels['up'];
  assert.ok(up?.kind === 'card');
  assert.deepEqual(up.thresholds.map(({ at, side, severity }) => [at, side, severity]).at(-1), [1, 'below', 'warning']);
  const text = Object.values(spec.panels).find(({ kind }) => kind === 'text');
  assert.ok(text?.kind === 'text');
  assert.match(text.markdown, /\[the manual\]\(https:\/\/example\.org\/nginx\)/);
  assert.doesNotMatch(text.markdown, /script|alert\(1\)|</);
});

test('queries of other sources are told, arithmetic becomes PromQL, what another panel asked is asked again', () => {
  const { spec, losses } = imported(readFile('postgresql-classic.json'));
  assert.equal(spec.folder, 'Databases');
  assert.equal(
    exprsOf(spec.panels['errors-share'])[2],
    '100 * (sum(rate(pg_stat_database_deadlocks{instance=~"$instance",datname=~"$datname"}[5m]))) / ((sum(rate(pg_stat_database_deadlocks{instance=~"$instance",datname=~"$datname"}[5m]))) + (sum(rate(pg_stat_database_conflicts{instance=~"$instance",datname=~"$datname"}[5m]))))',
  );
  assert.equal(exprsOf(spec.panels['queries-and-their-logs']).length, 1);
  assert.ok(exprsOf(spec.panels['same-as-above']).length > 0);
  assert.ok(exprsOf(spec.panels['effective-cache'])[0]?.startsWith('1024 * ('));
  assert.equal(spec.panels['shared-panel']?.kind, 'line', 'a library panel that came along');
  for (const what of ['query B', 'the transformation calculateField', 'the figure "stdDev" of a series', 'the variable filters'])
    assert.ok(
      losses.some((loss) => loss.what === what),
      what,
    );
  const table = spec.panels['tables'];
  assert.ok(table?.kind === 'table');
  assert.deepEqual(
    [table.columns, table.hide, table.sort],
    [['relname', 'schemaname'], ['schemaname', 'job', 'instance'], { by: 'Live rows', down: true }],
  );
});

test('thresholds: which colours are bad, from where and to which side', () => {
  const stat = (...steps: readonly (readonly [string, number | null])[]) => {
    const thresholds = { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) };
    const { panel: read, losses } = only({ type: 'stat', fieldConfig: { defaults: { thresholds }, overrides: [] } });
    assert.ok(read?.kind === 'card');
    return [...read.thresholds.map(({ at, side, severity }) => `${severity} ${side} ${at}`), ...losses].join(', ');
  };
  assert.equal(stat(['green', null], ['#EAB839', 80], ['semi-dark-red', 90]), 'warning above 80, critical above 90');
  assert.equal(stat(['red', null], ['orange', 5], ['green', 10]), 'critical below 5, warning below 10');
  assert.equal(stat(['red', null], ['green', 5], ['red', 10]), 'critical below 5, critical above 10');
  assert.match(stat(['green', null], ['red', 5], ['green', 10]), /bad in the middle of a range/);
  assert.match(stat(['blue', null], ['purple', 5]), /neither warning nor critical/);
});

test('a panel that repeats stands once, for all values', () => {
  const { panel: read, losses } = only({ repeat: 'node', targets: [{ refId: 'A', expr: 'up{instance="$node", job="$job"}' }] });
  assert.deepEqual([exprsOf(read), losses], [['up{instance=~"$node", job="$job"}'], ['its repetition for each value of $node']]);
});

test('what is exported reads back as it was: every shipped dashboard, and what was imported', () => {
  for (const spec of [...SHIPPED_DASHBOARDS, ...files.map((name) => imported(readFile(name)).spec)]) {
    const again = imported(JSON.parse(JSON.stringify(exportGrafana(spec))));
    assert.deepEqual(again.spec, spec);
    assert.deepEqual(again.losses, []);
  }
});

const word = fc.string({ minLength: 1, maxLength: 12 }).map((text) => text.toWellFormed().replaceAll('\0', ''));
const slug = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,12}$/);
const query = fc.record({
  expr: fc.constantFrom('up', 'node_load1{a="$x"}', 'sum(rate(y[$__rate_interval]))'),
  legend: fc.constantFrom('{{a}}', 'b'),
});
const threshold = fc.record({
  at: fc.integer({ min: -5, max: 5 }),
  severity: fc.constantFrom('warning' as const, 'critical' as const),
  side: fc.constantFrom('above' as const, 'below' as const),
});
const anyPanel = fc.constantFrom(...PANEL_KINDS).chain((kind): fc.Arbitrary<object> => {
  if (kind === 'text') return fc.record({ kind: fc.constant(kind), title: word, markdown: word });
  const from = fc
    .constantFrom(...SOURCES_OF[kind])
    .chain(
      (one): fc.Arbitrary<object> =>
        one === 'promql'
          ? fc.record({ from: fc.constant(one), queries: fc.array(query, { minLength: 1, maxLength: 4 }) })
          : fc.constant({ from: one }),
    );
  const base = { kind: fc.constant(kind), title: word, description: word, source: from };
  if (kind === 'alert_list' || kind === 'slo_budget' || kind === 'status_timeline' || kind === 'state') return fc.record(base);
  return fc.record({ ...base, unit: fc.constantFrom(...UNITS), thresholds: fc.array(threshold, { maxLength: 4 }) });
});
const anySpec = fc
  .record({
    id: slug,
    title: word,
    tags: fc.array(word, { maxLength: 3 }),
    folder: word,
    refresh: fc.constantFrom(...REFRESHES),
    range: fc.constantFrom('1h30m', '6h', '2w', '90s'),
    panels: fc.dictionary(slug, anyPanel, { minKeys: 1, maxKeys: 6 }),
    custom: fc.boolean(),
    folded: fc.boolean(),
    split: fc.nat(6),
    label: word,
  })
  .map(({ panels, custom, folded, split, label, ...rest }) => {
    const keys = Object.keys(panels);
    const parts = [keys.slice(0, split), keys.slice(split)].filter((part) => part.length > 0);
    const sections = parts.map((part, at) => ({ title: at === 0 ? '' : label, collapsed: folded && at > 0, ids: part }));
    const layout = custom
      ? {
          kind: 'custom',
          sections: sections.map(({ ids, ...one }) => ({
            ...one,
            items: ids.map((id, at) => ({ panel: id, x: (at * 5) % 16, y: 3 * at, w: 8, h: 3 })),
          })),
        }
      : { kind: 'two_columns', sections: sections.map(({ ids, ...one }) => ({ ...one, panels: ids })) };
    const variables = [
      { kind: 'query', name: 'x', label_name: 'a', all: true, multi: true },
      { kind: 'list', name: 'y', values: ['a,b', 'c'] },
    ];
    const annotations = [{ from: 'maintenance' }, { from: 'promql', expr: 'up == 0' }];
    return dashboardSpec.parse({ ...rest, panels, layout, variables, annotations });
  });

test('any dashboard that is exported and imported again is the same', () => {
  fc.assert(
    fc.property(anySpec, (spec: DashboardSpec) => {
      const again = imported(JSON.parse(JSON.stringify(exportGrafana(spec))));
      assert.deepEqual(again.spec, spec);
      assert.deepEqual(again.losses, []);
    }),
    { numRuns: 150 },
  );
});

test('what Grafana changed counts: the words of Grafana win over what we wrote beside them', () => {
  const [, performance] = SHIPPED_DASHBOARDS;
  assert.ok(performance !== undefined);
  const file = JSON.parse(JSON.stringify(exportGrafana(performance))) as { title: string; panels: { title: string; type: string }[] };
  const changed = {
    ...file,
    title: 'Mine',
    panels: file.panels.map((one) => (one.title === 'Network' && one.type === 'timeseries' ? { ...one, title: 'Links' } : one)),
  };
  const { spec } = imported(changed);
  assert.deepEqual(
    [
      spec.title,
      spec.id,
      Object.values(spec.panels)
        .filter(({ title }) => title === 'Links')
        .map(({ kind }) => kind),
    ],
    ['Mine', 'performance', ['line']],
  );
  assert.equal(Object.keys(spec.panels).length, Object.keys(performance.panels).length);
});

test('without what is written beside it, Grafana’s own words still say kind, queries, unit, limits and figures', () => {
  const kinds = ['card', 'line', 'bar', 'pie', 'gauge', 'table'] as const;
  for (const kind of kinds) {
    for (const unit of UNITS) {
      for (const reduce of REDUCERS) {
        const [spec] = [
          dashboardSpec.parse({
            id: 'a',
            title: 'A',
            layout: { kind: 'grid', sections: [{ panels: ['p'] }] },
            panels: {
              p: {
                kind,
                title: 'P',
                unit,
                ...(kind === 'line' ? {} : { reduce }),
                ...(kind === 'bar' ? { by: 'series' } : {}),
                thresholds: [
                  { at: 5, severity: 'warning' },
                  { at: 9, severity: 'critical' },
                ],
                source: { from: 'promql', queries: [{ expr: 'up', legend: 'x' }] },
              },
            },
          }),
        ];
        const written = spec.panels['p'];
        assert.ok(written !== undefined);
        const { options, ...rest } = exportPanel('p', written);
        const { nines: _nines, ...own } = options as Record<string, unknown>;
        const { panel: read, losses } = only({ ...rest, options: own });
        assert.ok(read !== undefined && read.kind === kind && written.kind === kind);
        assert.deepEqual([read.unit, exprsOf(read), losses], [unit, ['up'], []], `${kind} ${unit}`);
        if (kind !== 'pie') assert.deepEqual(read.thresholds, written.thresholds, kind);
        if ('reduce' in read && 'reduce' in written && kind !== 'table') assert.equal(read.reduce, written.reduce);
      }
    }
  }
});

test('attack: files that are no dashboards are refused with the place', () => {
  assert.match(faultOf([]), /an object, not a list/);
  assert.match(faultOf({}), /neither panels nor rows nor elements/);
  assert.match(faultOf({ panels: 3 }), /^panels: expected a list, found number/);
  assert.match(faultOf({ panels: [panel(), null] }), /^panels\.1: expected a panel, found null/);
  assert.match(faultOf({ apiVersion: 'v1', kind: 'Pod', spec: {} }), /^apiVersion: a resource v1 Pod/);
  assert.match(
    faultOf({ apiVersion: 'dashboard.grafana.app/v1beta1', kind: 'Dashboard', spec: { rows: 'x' } }),
    /^spec\.rows: expected a list/,
  );
  assert.match(faultOf({ dashboard: { panels: [1] } }), /^dashboard\.panels\.0: expected a panel/);
  assert.match(faultOf(classic([])), /has no panels/);
  assert.match(faultOf(classic([panel({ targets: [] })])), /none of its 1 panels can be shown here; the first: Load/);
});

test('attack: names of prototypes, cycles of names, endless nesting, halves of characters', () => {
  const hostile = JSON.parse(
    '{"title":"__proto__","panels":[{"id":1,"type":"__proto__","title":"constructor","targets":[{"expr":"up"}],"__proto__":{"x":1}},{"type":"timeseries","title":"__proto__","targets":[{"expr":"up","refId":"\\ud800"}]}],"templating":{"list":[{"name":"__proto__","type":"custom","query":"a"},{"type":"hasOwnProperty","name":"toString"}]},"__elements":{"__proto__":{"model":{}}}}',
  ) as unknown;
  const { spec } = imported(hostile);
  assert.deepEqual(Object.keys(spec.panels), ['constructor', 'proto']);
  let layout: object = { kind: 'GridLayout', spec: { items: [] } };
  for (let at = 0; at < 5_000; at++) layout = { kind: 'RowsLayout', spec: { rows: [{ spec: { title: `r${at}`, layout } }] } };
  assert.match(faultOf({ elements: { a: { kind: 'Panel', spec: {} } }, layout }), /more than 8 deep/);
  const twice = { kind: 'GridLayoutItem', spec: { x: 0, y: 0, width: 99, height: -4, element: { name: 'a' } } };
  const element = {
    kind: 'Panel',
    spec: {
      id: 1,
      title: 'A\u0000',
      vizConfig: { group: 'stat', spec: {} },
      data: { spec: { queries: [{ spec: { refId: 'A', query: { group: 'prometheus', spec: { expr: 'up' } } } }] } },
    },
  };
  const v2 = imported({
    elements: { a: element, lost: element },
    layout: { kind: 'GridLayout', spec: { items: [twice, twice, { spec: { element: { name: '__proto__' } } }] } },
  });
  assert.deepEqual(
    v2.losses.map(({ what }) => what),
    ['its second place', 'the panel "__proto__"', 'the panel', 'how lines, legends and tooltips look'],
  );
  const item = 'items' in (v2.spec.layout.sections[0] ?? {}) ? JSON.stringify(v2.spec.layout.sections[0]) : '';
  assert.match(item, new RegExp(`"w":${GRID_COLUMNS},"h":1`));
  const self = { id: 1, datasource: { uid: '-- Dashboard --' }, targets: [{ refId: 'A', panelId: 1 }] };
  assert.match(faultOf(classic([panel(self)])), /none of its 1 panels/);
});

test('attack: thousands of panels, queries that grow, patterns that never end', () => {
  const many = imported(classic(Array.from({ length: 5_000 }, (_, at) => panel({ id: at, title: `P ${at}`, gridPos: undefined }))));
  assert.deepEqual([many.found, many.converted], [1_000, 200]);
  assert.match(many.losses.at(-1)?.what ?? '', /more losses/);
  const grow = { refId: 'B', datasource: { uid: '__expr__' }, type: 'math', expression: '$A+'.repeat(3_000) };
  assert.ok(only({ targets: [{ refId: 'A', expr: `sum(${'x'.repeat(9_000)})` }, grow] }).losses.includes('query B'));
  const { losses } = only({ targets: Array.from({ length: 400 }, (_, at) => ({ refId: `${at}`, expr: 'up' })) });
  assert.ok(losses.includes('300 further queries'));
  for (const text of [
    '['.repeat(50_000),
    `[${'$'.repeat(50_000)}`,
    `label_values(${' '.repeat(90_000)}`,
    `query_result(${'a'.repeat(90_000)}(`,
    '<script>'.repeat(5_000),
    `<a href="https://x"${' href="https://y"'.repeat(3_000)}`,
  ]) {
    const { spec } = only(
      {
        targets: [
          { refId: 'A', expr: 'up' },
          { refId: 'B', expr: text },
        ],
      },
      { templating: { list: [{ name: 'v', type: 'query', query: text, regex: '/(a+)+b="/' }] } },
    );
    assert.equal(Object.keys(spec.panels).length, 1);
    imported(classic([panel({ type: 'text', options: { mode: 'html', content: text } })]));
  }
});
