import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Expr, childrenOf } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { Unit } from '../model.ts';
import { SHIPPED_DASHBOARDS } from '../shipped.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const DOCS = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8') + readFileSync(join(ROOT, 'docs/analytics.md'), 'utf8');

/** `node_filesystem_{size,free}_bytes`, `node_memory_*_bytes` and `nines_agents{location}` as what they stand for. */
const documented = [...DOCS.matchAll(/`([a-z_]\w*(?:[\w*]|\{[^}`]*\})*)`/g)].map(([, span = '']) => {
  const name = span.replace(/\{[^}]*\}$/, '');
  const pattern = name.replaceAll('*', '\\w*').replace(/\{([^}]*)\}/g, (_whole, names: string) => `(?:${names.replaceAll(/,\s*/g, '|')})`);
  return new RegExp(`^${pattern}(?:_bucket|_count|_sum)?$`);
});

/** What Nines says of itself is described where it is counted. */
const sources = globSync('server/src/**/*.ts', { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts') && !file.includes('/dashboards/'))
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');
const isOwn = (name: string): boolean => name.startsWith('nines_') && sources.includes(`'${name.replace(/_(?:bucket|count|sum)$/, '')}'`);

function metricsIn(expr: Expr): readonly string[] {
  if (expr.kind === 'selector') return expr.name === undefined || expr.name === '' ? [] : [expr.name];
  return childrenOf(expr).flatMap(metricsIn);
}

type Asked = { readonly where: string; readonly unit: Unit; readonly exprs: readonly string[]; readonly description: string };
const asked: readonly Asked[] = SHIPPED_DASHBOARDS.flatMap(({ id, panels }) =>
  Object.entries(panels).flatMap(([name, panel]) =>
    'unit' in panel && panel.source.from === 'promql'
      ? [{ where: `${id}/${name}`, unit: panel.unit, exprs: panel.source.queries.map(({ expr }) => expr), description: panel.description }]
      : [],
  ),
);
const parsed = (expr: string): Expr => {
  const read = parseExpr(expr);
  return read.ok ? read.value : assert.fail(`${expr}: ${JSON.stringify(read.error)}`);
};

test('every shipped dashboard is named once, and asks in PromQL for what is measured here or has a documented name', () => {
  const ids = SHIPPED_DASHBOARDS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const strangers = asked.flatMap(({ where, exprs }) =>
    exprs
      .flatMap((expr) => metricsIn(parsed(expr)))
      .filter((name) => !isOwn(name) && !documented.some((one) => one.test(name)))
      .map((name) => `${where}: ${name}`),
  );
  assert.deepEqual(strangers, []);
});

test('what only users can tell is said to be told by them, with its name', () => {
  for (const { where, exprs, description } of asked) {
    if (where.startsWith('models/')) continue;
    const told = exprs
      .flatMap((expr) => metricsIn(parsed(expr)))
      .filter((name) => /^(?:business|engagement|security|automation|model)_|^active_users$/.test(name));
    if (told.length === 0) continue;
    const stem = told[0]?.replace(/_(?:bucket|count|sum)$/, '') ?? '';
    assert.ok(description.includes(stem), `${where} does not say that it is fed by ${stem}`);
  }
});

/** What a metric's name says of its values, and what becomes of that when it is a rate. */
const SAYS: readonly (readonly [RegExp, readonly Unit[]])[] = [
  [/_ratio$/, ['ratio', 'percent']],
  [/_bytes$/, ['bytes', 'percent', 'ratio']],
  [/_bytes_total$/, ['bytes', 'bytes_per_second']],
  [/(?<!_timestamp)_seconds(?:_sum|_count|_bucket|_total)?$/, ['seconds', 'percent', 'ratio', 'per_second']],
  [/(?:revenue|costs)_total$/, ['currency', 'ratio']],
];

test('every figure has the unit that its metric has', () => {
  for (const { where, unit, exprs } of asked)
    for (const name of exprs.flatMap((expr) => metricsIn(parsed(expr)))) {
      const possible = SAYS.find(([pattern]) => pattern.test(name))?.[1];
      assert.ok(possible === undefined || possible.includes(unit), `${where} shows ${name} as ${unit}`);
    }
});

test('the overview of contracts has its five widgets', () => {
  const widgets = Object.entries(SHIPPED_DASHBOARDS[0]?.panels ?? {}).map(([id, { kind }]) => [id, kind]);
  assert.deepEqual(widgets, [
    ['WIDGET_001', 'card'],
    ['WIDGET_002', 'line'],
    ['WIDGET_003', 'pie'],
    ['WIDGET_004', 'alert_list'],
    ['WIDGET_005', 'table'],
  ]);
});
