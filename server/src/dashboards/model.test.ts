import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboardSpec, PANEL_KINDS, SOURCES_OF, type WrittenDashboard } from './model.ts';

type Written = WrittenDashboard['panels'][string];
const cpu: Written & { kind: 'line' } = {
  kind: 'line',
  title: 'CPU',
  unit: 'percent',
  source: { from: 'promql', queries: [{ expr: 'system.cpu.percent' }] },
};
const shop: WrittenDashboard = {
  id: 'shop',
  title: 'Shop',
  panels: { cpu, state: { kind: 'state', source: { from: 'services' } } },
  layout: { kind: 'two_columns', sections: [{ panels: ['state', 'cpu'] }] },
};
const faults = (change: Partial<WrittenDashboard>): readonly string[] => {
  const { error } = dashboardSpec.safeParse({ ...shop, ...change });
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
};

test('a dashboard is written short and read whole', () => {
  const read = dashboardSpec.parse(shop);
  assert.deepEqual([read.schema, read.range, read.refresh], [1, '6h', 'live']);
  assert.deepEqual(read.panels['state'], { kind: 'state', title: '', description: '', links: [], source: { from: 'services', ids: [] } });
  assert.deepEqual(dashboardSpec.parse(read), read, 'what was read is itself a dashboard');
});

test('what does not fit together is said with its place', () => {
  const layout = (panels: string[]): Partial<WrittenDashboard> => ({ layout: { kind: 'grid', sections: [{ panels }] } });
  assert.deepEqual(faults(layout(['cpu', 'state', 'disk'])), ['layout.sections.0.panels.2: there is no panel "disk"']);
  assert.deepEqual(faults(layout(['cpu', 'state', 'cpu'])), ['layout.sections.0.panels.2: the panel "cpu" is placed twice']);
  assert.deepEqual(faults(layout(['cpu'])), ['panels.state: the panel is placed nowhere: name it in the layout']);
  assert.deepEqual(faults({ panels: { cpu, state: { kind: 'pie', source: { from: 'slas' } } } }), [
    'panels.state.source.from: a panel of kind pie draws promql, services, alerts, not slas',
  ]);
  const wide = { panel: 'cpu', x: 20, y: 0, w: 8, h: 4 };
  const custom = { kind: 'custom' as const, sections: [{ items: [wide, { ...wide, panel: 'state', x: 0 }] }] };
  assert.deepEqual(faults({ layout: custom }), ['layout.sections.0.items.0.w: reaches beyond the 24 columns']);
  assert.match(faults({ panels: { cpu: { ...cpu, links: [{ title: 'x', url: 'javascript:alert(1)' }] } } }).join(), /an http\(s\) address/);
  assert.match(faults({ range: 'a while' }).join(), /range: write a length of time/);
});

test('every kind of panel has a place among the sources', () => {
  assert.deepEqual([...PANEL_KINDS].sort(), Object.keys(SOURCES_OF).sort());
});
