import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { dashboardSpec } from '../model.ts';
import { draw } from './draw.ts';
import { paperOf } from './paper.ts';
import { placesOf } from './places.ts';
import type { Shown } from './shown.ts';
import { svgOf } from './svg.ts';

const HOUR_MS = 3_600_000;
const TO_MS = Date.UTC(2026, 0, 2, 12);
const span = { fromMs: TO_MS - HOUR_MS, toMs: TO_MS };
const look = { bars: false, stack: false, fill: true, log: false };
const points = Array.from({ length: 60 }, (_, i) => [span.fromMs + i * 60_000, i === 30 ? Number.NaN : i] as const);
const chart: Shown = {
  kind: 'lines',
  lines: [{ name: 'web-1', points }],
  unit: 'percent',
  thresholds: [{ at: 40, severity: 'critical', side: 'above' }],
  look,
  span,
  gapMs: 150_000,
};
const EVERY: readonly Shown[] = [
  chart,
  { kind: 'figure', text: '42', unit: '%', note: 'of 3', spark: points },
  {
    kind: 'bars',
    items: [
      { name: 'a', value: 3 },
      { name: 'b', value: -1 },
    ],
    unit: 'number',
  },
  {
    kind: 'pie',
    items: [
      { name: 'a', value: 3 },
      { name: 'b', value: 1 },
    ],
    unit: 'number',
    hollow: true,
  },
  { kind: 'gauge', value: 7, unit: 'number', min: 0, max: 10 },
  { kind: 'cells', rows: ['r'], columns: ['c', 'd'], values: [[-0.5, null]], range: [-1, 1] },
  { kind: 'table', columns: ['Name', 'Value'], rows: Array.from({ length: 90 }, (_, i) => [`row ${i}`, String(i)]), right: [1] },
  { kind: 'strips', strips: [{ name: 'shop', intervals: [{ ...span, state: 'down' }] }], span },
  { kind: 'words', lines: ['Words', ''] },
  { kind: 'nothing', why: 'Nothing was measured.' },
];
const ids = EVERY.map((_, i) => `p${i}`);
const SPEC = dashboardSpec.parse({
  id: 'all',
  title: 'Everything',
  panels: Object.fromEntries(ids.map((id) => [id, { kind: 'text', title: `Panel ${id}`, markdown: '' }])),
  layout: { kind: 'two_columns', sections: [{ title: 'First', panels: ids }] },
});

/** What is on the pages of a file: its texts, and how many paths are drawn. */
function contentsOf(file: Uint8Array): { readonly texts: readonly string[]; readonly strokes: number; readonly images: number } {
  const bytes = Buffer.from(file);
  const streams = [...bytes.toString('latin1').matchAll(/\/Length (\d+) \/Filter \/FlateDecode >>\nstream\n/g)].map((found) => {
    const from = found.index + found[0].length;
    return inflateSync(bytes.subarray(from, from + Number(found[1]))).toString('latin1');
  });
  const texts = streams.flatMap((one) =>
    [...one.matchAll(/<([0-9a-f]*)> Tj/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1')),
  );
  const strokes = streams.reduce((sum, one) => sum + (one.match(/ S Q$/gm) ?? []).length, 0);
  return { texts, strokes, images: (bytes.toString('latin1').match(/\/Subtype \/Image/g) ?? []).length };
}

test('paper has every kind of panel as vectors, its time and zone, names of series and the number of each page', () => {
  const asked = { spec: SPEC, shown: new Map(ids.map((id, i) => [id, EVERY[i] ?? chart])), ...span, madeAtMs: TO_MS, chosen: 'host = a' };
  const file = paperOf(asked);
  const { texts, strokes, images } = contentsOf(file);
  const pages = Number(/\/Count (\d+)/.exec(Buffer.from(file).toString('latin1'))?.[1]);
  assert.ok(pages >= 2, String(pages));
  for (let page = 1; page <= pages; page++) assert.ok(texts.includes(`Page ${page} of ${pages}`), String(page));
  for (const text of [
    'Everything',
    'First',
    '2026-01-02 11:00 to 2026-01-02 12:00, all times UTC',
    'host = a',
    'web-1',
    'row 0',
    'Nothing was measured.',
    ...ids.map((id) => `Panel ${id}`),
  ])
    assert.ok(texts.includes(text), text);
  assert.ok(strokes >= 8 && images === 0, `${strokes} strokes, ${images} images`);
  assert.deepEqual(paperOf(asked), file, 'equal figures are equal bytes');
});

test('a gap in a line is a gap, a name is text, and every picture stays inside of its size', () => {
  const size = { width: 300, height: 160 };
  const lines = draw(chart as Parameters<typeof draw>[0], size).marks.filter((one) => one.mark === 'line' && one.width === 1.3);
  assert.equal(lines.length, 2);
  for (const shown of EVERY) {
    if (shown.kind === 'table' || shown.kind === 'words' || shown.kind === 'nothing') continue;
    for (const mark of draw(shown, size).marks) {
      const places = mark.mark === 'text' ? [mark.at] : mark.points;
      for (const [x, y] of places) assert.ok(x >= -1 && x <= 301 && y >= -1 && y <= 161, `${shown.kind} ${mark.mark} ${x} ${y}`);
    }
  }
  const named = { ...chart, lines: [{ name: '<script>"&', points }] } as Parameters<typeof draw>[0];
  const svg = svgOf(draw(named, size), 'a "title" <b>');
  assert.match(svg, /&lt;script&gt;&quot;&amp;/);
  assert.doesNotMatch(svg, /<script|<b>|style=|href=/);
});

test('panels that follow each other fill their rows', () => {
  const grid = dashboardSpec.parse({ ...SPEC, layout: { kind: 'three_columns', sections: [{ panels: ids }] } });
  const [section] = placesOf(grid);
  const rows = Map.groupBy(section?.places ?? [], ({ y }) => y);
  for (const places of [...rows.values()].slice(0, 3))
    assert.equal(
      places.reduce((sum, { w }) => sum + w, 0),
      24,
    );
});

test('figures as large as numbers get, and limits that hide them, are drawn as finite places', () => {
  const HUGE = Number.MAX_VALUE;
  const wild = [[span.fromMs, HUGE] as const, [span.fromMs + 60_000, -HUGE] as const, [span.fromMs + 120_000, 1] as const];
  const lines = [wild, wild].map((points, i) => ({ name: `web-${i}`, points }));
  const looks = [
    look,
    { ...look, stack: true },
    { ...look, log: true },
    { ...look, min: 1e20 },
    { ...look, max: -HUGE },
    { ...look, min: -HUGE, max: HUGE },
  ];
  const one = [{ name: 'one', points: [[span.fromMs, 1e20] as const] }];
  const found: readonly Shown[] = [
    ...looks.flatMap((of) => [
      { ...chart, lines, look: of },
      { ...chart, lines: one, thresholds: [], look: of },
    ]),
    { ...chart, thresholds: [{ at: HUGE, severity: 'critical', side: 'above' }] },
    { kind: 'figure', text: '1', unit: '', note: '', spark: wild },
    {
      kind: 'bars',
      items: [
        { name: 'a', value: HUGE },
        { name: 'b', value: -HUGE },
      ],
      unit: 'number',
    },
    { kind: 'gauge', value: HUGE, unit: 'number', min: -HUGE, max: HUGE },
    { kind: 'cells', rows: ['r'], columns: ['c', 'd'], values: [[-HUGE, HUGE]], range: [-HUGE, HUGE] },
  ];
  for (const shown of found) {
    if (shown.kind === 'table' || shown.kind === 'words' || shown.kind === 'nothing') continue;
    const drawing = draw(shown, { width: 400, height: 200 });
    assert.ok(drawing.marks.length < 200, JSON.stringify(shown));
    assert.doesNotMatch(svgOf(drawing, 'Wild').replaceAll(/>[^<]*</g, '><'), /NaN|Infinity/);
    const [panel] = ids;
    const paper = paperOf({ spec: SPEC, shown: new Map([[panel ?? '', shown]]), ...span, madeAtMs: TO_MS, chosen: '' });
    for (const [, stream] of Buffer.from(paper)
      .toString('latin1')
      .matchAll(/FlateDecode[^>]*>>\nstream\n([\s\S]*?)\nendstream/g))
      assert.doesNotMatch(
        inflateSync(Buffer.from(stream ?? '', 'latin1'))
          .toString('latin1')
          .replaceAll(/<[0-9a-f]*>/g, ''),
        /NaN|Infinity|\de[+-]?\d/,
      );
  }
});
