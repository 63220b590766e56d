import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DashboardSpec, Layout, PanelOf } from '../api/dashboards.ts';
import { costOf } from './cost.ts';
import { added, changesOf, laidOut, newPanel, putAt, removed, reordered, shifted } from './draft.ts';
import {
  duplicated,
  laidOutKeeping,
  movedToSection,
  sectionAdded,
  sectionChanged,
  sectionMoved,
  sectionOf,
  sectionRemoved,
} from './sections.ts';
import { type Steps, begin, redone, stepped, undone } from './steps.ts';
import { asKind, newVariable, usesOf, valuesOf } from './variables.ts';

const text = newPanel('text') as PanelOf<'text'>;
const board = (layout: Layout, ids: readonly string[] = ['a', 'b', 'c']): DashboardSpec => ({
  schema: 1,
  id: 'board',
  title: 'Board',
  description: '',
  tags: [],
  folder: '',
  panels: Object.fromEntries(ids.map((id) => [id, text])),
  layout,
  variables: [],
  annotations: [],
  range: '6h',
  refresh: 'live',
});
const flow = (...lists: readonly (readonly string[])[]): DashboardSpec =>
  board({ kind: 'two_columns', sections: lists.map((panels, at) => ({ title: `S${at}`, collapsed: false, panels: [...panels] })) });
const item = (panel: string, x: number, y: number, [w, h]: readonly [w: number, h: number] = [12, 7]) => ({ panel, x, y, w, h });
const free = (...items: readonly ReturnType<typeof item>[]): DashboardSpec =>
  board({ kind: 'custom', sections: [{ title: '', collapsed: false, items: [...items] }] });
const lists = ({ layout }: DashboardSpec): readonly (readonly string[])[] =>
  layout.sections.map((one) => ('items' in one ? one.items.map(({ panel }) => panel) : one.panels));
const places = ({ layout }: DashboardSpec): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    layout.sections.flatMap((one) => ('items' in one ? one.items : [])).map(({ panel, x, y, w, h }) => [panel, [x, y, w, h]]),
  );

test('a panel that is moved or made bigger stays inside the columns, and what it covers makes room below', () => {
  const before = free(item('a', 0, 0), item('b', 12, 0), item('c', 0, 7));
  assert.deepEqual(places(shifted(before, 'a', { x: 5 }))['a'], [5, 0, 12, 7]);
  assert.deepEqual(places(shifted(before, 'a', { x: 99 }))['a'], [12, 0, 12, 7]);
  const taller = places(shifted(before, 'a', { h: 3 }));
  assert.deepEqual(
    [taller['a'], taller['b'], taller['c']],
    [
      [0, 0, 12, 10],
      [12, 0, 12, 7],
      [0, 10, 12, 7],
    ],
  );
  assert.deepEqual(places(shifted(before, 'a', { w: -99 }))['a'], [0, 0, 1, 7]);
  assert.equal(shifted(flow(['a'], ['b', 'c']), 'a', { x: 1 }).layout.kind, 'two_columns');
});

test('in columns a panel moves in the order, over the ends of sections, and into the place of another', () => {
  const before = flow(['a', 'b'], ['c']);
  assert.deepEqual(lists(reordered(before, 'b', -1)), [['b', 'a'], ['c']]);
  assert.deepEqual(lists(reordered(before, 'b', 1)), [['a'], ['b', 'c']]);
  assert.deepEqual(lists(reordered(before, 'c', -1)), [['a', 'b', 'c'], []]);
  assert.deepEqual(lists(reordered(before, 'a', -1)), [['a', 'b'], ['c']]);
  assert.deepEqual(lists(putAt(before, 'a', 'c')), [['b'], ['c', 'a']]);
  assert.deepEqual(lists(putAt(flow(['a', 'b', 'c']), 'a', 'c')), [['b', 'c', 'a']]);
});

test('sections are added, named, folded, moved and removed, and no panel is lost with one', () => {
  const before = flow(['a', 'b'], ['c']);
  const three = sectionChanged(sectionAdded(before, 'More'), 2, { title: 'Late', collapsed: true });
  assert.deepEqual(
    three.layout.sections.map(({ title, collapsed }) => [title, collapsed]),
    [
      ['S0', false],
      ['S1', false],
      ['Late', true],
    ],
  );
  assert.deepEqual(lists(sectionMoved(before, 0, 1)), [['c'], ['a', 'b']]);
  assert.deepEqual(lists(sectionMoved(before, 0, -1)), [['a', 'b'], ['c']]);
  assert.deepEqual(lists(sectionRemoved(before, 1)), [['a', 'b', 'c']]);
  assert.deepEqual(lists(sectionRemoved(before, 0)), [['c', 'a', 'b']]);
  const only = flow(['a', 'b', 'c']);
  assert.equal(sectionRemoved(only, 0), only);
  const custom = sectionAdded(free(item('a', 0, 0), item('b', 12, 0), item('c', 0, 7)), 'More');
  const moved = movedToSection(custom, 'b', 1);
  assert.deepEqual([lists(moved), places(moved)['b'], sectionOf(moved, 'b')], [[['a', 'c'], ['b']], [0, 0, 12, 7], 1]);
  assert.deepEqual(places(sectionRemoved(moved, 1))['b'], [0, 14, 12, 7]);
  assert.deepEqual(lists(movedToSection(before, 'a', 1)), [['b'], ['c', 'a']]);
  assert.equal(movedToSection(before, 'a', 7), before);
});

test('a panel is there twice after it was duplicated, beside itself where there is room', () => {
  const twice = duplicated(flow(['a', 'b'], ['c']), 'a');
  assert.deepEqual([twice.id, lists(twice.spec), twice.spec.panels['a-2']], ['a-2', [['a', 'a-2', 'b'], ['c']], text]);
  assert.equal(duplicated(twice.spec, 'a-2').id, 'a-3');
  const placed = free(item('a', 0, 0), item('b', 0, 7), item('c', 12, 7));
  assert.deepEqual(places(duplicated(placed, 'a').spec)['a-2'], [12, 0, 12, 7]);
  assert.deepEqual(places(duplicated(placed, 'b').spec)['b-2'], [0, 14, 12, 7]);
});

test('trying columns loses no place: back in the free grid all stand where they stood, and new ones below', () => {
  const before = free(item('a', 3, 0, [5, 4]), item('b', 12, 0), item('c', 0, 7, [24, 3]));
  const columns = added(laidOut(before, 'two_columns'), text);
  const back = laidOutKeeping(columns.spec, 'custom', before.layout);
  assert.deepEqual(places(back), { a: [3, 0, 5, 4], b: [12, 0, 12, 7], c: [0, 7, 24, 3], [columns.id]: [0, 10, 12, 7] });
  const gone = laidOutKeeping(removed(columns.spec, 'b'), 'custom', before.layout);
  assert.deepEqual(Object.keys(places(gone)).sort(), ['a', 'c', columns.id]);
  assert.equal(laidOutKeeping(flow(['a'], ['b', 'c']), 'custom', undefined).layout.kind, 'custom');
});

test('what was changed is said a line each', () => {
  const before = flow(['a', 'b'], ['c']);
  const after = { ...removed(added(before, newPanel('gauge')).spec, 'b'), title: 'Other', variables: [newVariable([])] };
  const renamed = { ...after, panels: { ...after.panels, a: { ...text, title: 'Note' } } };
  assert.deepEqual(changesOf(before, renamed), [
    'Note: title',
    'removed b',
    'added Load',
    'moved panels',
    "the dashboard's title",
    "the dashboard's variables",
  ]);
  assert.deepEqual(changesOf(before, before), []);
});

test('steps go back and forward; what is typed in one go is one step, and a change after going back forgets what was ahead', () => {
  const type = (steps: Steps<string>, ...changes: readonly (readonly [string, number])[]): Steps<string> =>
    changes.reduce((now, [next, atMs]) => stepped(now, next, atMs), steps);
  const typed = type(begin('0'), ['a', 0], ['ab', 100], ['abc', 200], ['moved', 5_000]);
  assert.deepEqual(typed.past, ['0', 'abc']);
  const back = undone(typed);
  assert.deepEqual([back.now, undone(back).now, undone(undone(back)).now, redone(back).now], ['abc', '0', '0', 'moved']);
  assert.deepEqual(redone(undone(undone(back))).now, 'abc');
  assert.deepEqual(type(back, ['other', 5_100]).future, []);
  assert.equal(type(begin('x'), ...Array.from({ length: 300 }, (_, at) => [String(at), at * 10_000] as const)).past.length, 100);
});

test('a variable keeps its name and choice when it becomes another kind, and says where it stands', () => {
  const made = newVariable([newVariable([])]);
  assert.equal(made.name, 'instance2');
  const list = asKind({ ...newVariable([]), multi: true }, 'list');
  assert.deepEqual([list.kind, list.name, 'multi' in list && list.multi], ['list', 'instance', true]);
  assert.equal(asKind(list, 'interval').kind, 'interval');
  assert.deepEqual(valuesOf(' a, b ,,a '), ['a', 'b']);
  const spec: DashboardSpec = {
    ...flow(['a'], ['b', 'c']),
    panels: { a: { ...newPanel('line'), title: 'Load of $instance' }, b: { ...text, markdown: '${instance:csv} and $instances' }, c: text },
    variables: [newVariable([]), { ...newVariable([]), name: 'disk', match: 'disk{instance=~"$instance"}' }],
  };
  assert.deepEqual([usesOf(spec, 'instance'), usesOf(spec, 'disk')], [3, 0]);
});

test('a panel says what it asks: each query once, a card also about the period before, the present as often as it looks and not at all where it is pushed', () => {
  const view = { fromMs: 0, toMs: 3_600_000 };
  const asked = { from: 'promql' as const, queries: [{ expr: 'up' }, { expr: 'down' }, { expr: 'off', hidden: true }] };
  const line = { ...newPanel('line'), source: asked } as DashboardSpec['panels'][string];
  const card = { ...newPanel('card'), source: asked } as DashboardSpec['panels'][string];
  assert.deepEqual(
    (['live', '5s', 'off'] as const)
      .map((refresh) => costOf(line, view, refresh))
      .map(({ queries, aMinute, pushed }) => [queries, aMinute, pushed]),
    [
      [2, 0, true],
      [2, 24, false],
      [2, 0, false],
    ],
  );
  assert.deepEqual([costOf(card, view, '30s').queries, costOf(card, view, '30s').aMinute], [4, 4]);
  assert.ok(costOf(line, view, 'live').values <= 360);
  assert.deepEqual(costOf(newPanel('state'), view, 'live'), { queries: 0, values: 0, aMinute: 0, pushed: false });
});
