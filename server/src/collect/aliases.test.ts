import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseExpr } from '@nines/promql/parse.ts';
import { HISTORY_TYPES, createAliases } from './aliases.ts';

const DOC = readFileSync(join(dirname(dirname(dirname(import.meta.dirname))), 'docs/metrics.md'), 'utf8');

test('every dotted name stands for an expression that PromQL takes', () => {
  for (const intervalMs of [1_000, 15_000, 300_000]) {
    for (const { name, expr } of createAliases(intervalMs).list) {
      const parsed = parseExpr(expr);
      assert.ok(parsed.ok, `${name}: ${parsed.ok ? '' : parsed.error.message}`);
    }
  }
});

test('the documented table is the table', () => {
  const { list } = createAliases(15_000);
  const rows = list.map(({ name, unit, help, expr }) => `| \`${name}\` | ${unit} | ${help} | \`${expr.replaceAll('|', '\\|')}\` |`);
  const documented = DOC.split('\n').filter((line) => /^\| `(system|process|app)\./.test(line));
  assert.deepEqual(documented, rows);
  const types = Object.entries(HISTORY_TYPES).map(([type, names]) => `| \`${type}\` | ${names.map((name) => `\`${name}\``).join(', ')} |`);
  assert.deepEqual(
    DOC.slice(DOC.indexOf('## History types'))
      .split('\n')
      .filter((line) => line.startsWith('| `')),
    types,
  );
});

test('names are unique, resolve to themselves only, and history types show known names', () => {
  const { list, resolve } = createAliases(15_000);
  assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
  for (const alias of list) assert.equal(resolve(alias.name), alias);
  assert.equal(resolve('system.cpu'), undefined);
  assert.equal(resolve('__proto__'), undefined);
  for (const names of Object.values(HISTORY_TYPES)) for (const name of names) assert.ok(resolve(name) !== undefined, name);
});

test('rates span at least four samples of a longer interval', () => {
  assert.match(createAliases(60_000).resolve('system.cpu.percent')?.expr ?? '', /\[4m\]/);
  assert.match(createAliases(1_000).resolve('system.cpu.percent')?.expr ?? '', /\[1m\]/);
});
