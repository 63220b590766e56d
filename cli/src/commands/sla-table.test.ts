import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ListedSla, slaTable } from './sla-table.ts';

const shop: ListedSla = {
  id: 'shop-availability',
  service: 'shop',
  status: 'at_risk',
  young: true,
  attained: 0.9963354931616122,
  attained_bounds: [0.99633, 0.99634],
  target: 0.999,
  objective: { op: '>=', value: 0.999, unit: 'ratio', statistic: null },
  budget: { unit: 'ms', total_ms: 2_592_000, spent_ms: 2_532_000, remaining_ms: 60_000 },
};
const recovery: ListedSla = {
  ...shop,
  id: 'api-recovery',
  status: 'breached',
  young: false,
  target: 1,
  objective: { op: '<=', value: 900, unit: 'seconds', statistic: 'mean' },
  budget: { unit: 'ms', total_ms: 1_800_000, spent_ms: 3_792_000, remaining_ms: -1_992_000 },
};
const requests: ListedSla = {
  ...shop,
  id: 'requests',
  budget: { unit: 'events', total: 10, spent: 3, remaining: 7, total_ms: 0, spent_ms: 0, remaining_ms: 0 },
};

test('the list is for people: digits that are proven, lengths in words, each budget in its unit', () => {
  const { rows } = slaTable([shop, recovery, requests], 'table');
  assert.deepEqual(rows[0], ['shop-availability', 'shop', 'at risk, young', '99.633 %', '99.9 %', '1 min of 43 min 12 s left']);
  assert.deepEqual(rows[1]?.slice(2), ['breached', '31 min 36 s', 'at most 15 min', '33 min 12 s over 30 min']);
  assert.equal(rows[2]?.at(-1), '7 events of 10 events left');
});

test('the list as CSV keeps exact numbers, with a column for each', () => {
  const { columns, rows } = slaTable([{ ...shop, attained: null }, requests], 'csv');
  assert.deepEqual(rows[0], ['shop-availability', 'shop', 'at_risk', '', '0.999', '2532000', '2592000', '', '', 'yes']);
  assert.deepEqual(rows[1]?.slice(7), ['3', '10', 'yes']);
  assert.ok(rows.every((row) => row.length === columns.length));
});
