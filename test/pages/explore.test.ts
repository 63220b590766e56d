import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** An hour by the minute of two shops' orders and one stock, until now. */
function anHour(nowMs: number): string {
  const timestamps = Array.from({ length: MINUTES }, (_, i) => nowMs - (MINUTES - 1 - i) * MINUTE_MS);
  const line = (metric: Readonly<Record<string, string>>, valueAt: (i: number) => number) =>
    JSON.stringify({ metric, values: timestamps.map((_, i) => valueAt(i)), timestamps });
  return [
    line({ __name__: 'shop_orders_total', shop: 'north' }, (i) => i * 60),
    line({ __name__: 'shop_orders_total', shop: 'south' }, (i) => i * 120),
    line({ __name__: 'shop_stock', shop: 'north' }, () => 42),
  ].join('\n');
}

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines()]);
  const stored = await nines.send<{ stored: number }>('POST', '/api/import?format=vmjson', anHour(Date.now()));
  assert.equal(stored.json.stored, 3 * MINUTES, stored.text);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('a query is completed, drawn, shown as rows, taken apart, and kept on a dashboard', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/explore');
  const editor = page.getByRole('textbox', { name: 'PromQL of query 1' });
  await editor.click();
  await editor.pressSequentially('shop_sto');
  await page.getByRole('option', { name: /shop_stock/ }).waitFor();
  await editor.press('Escape');
  await editor.pressSequentially('ck');
  await editor.press('Escape');
  await editor.press('Enter');
  await page.getByRole('img', { name: /^Over time\. shop_stock shop=north: last 42/ }).waitFor();
  assert.match(decodeURIComponent(page.url()), /panels=\[\{"q":"shop_stock"\}\]/);
  await page.getByText(/samples read · evaluated in/).waitFor();

  await page.getByRole('button', { name: 'Browse all' }).click();
  await page.getByRole('searchbox', { name: 'Filter metrics' }).fill('shop_orders');
  await page.getByRole('region', { name: 'Metrics' }).getByRole('button', { name: 'shop_orders_total' }).click();
  const second = page.getByRole('region', { name: 'Query 2' });
  await second.getByText('2 series', { exact: false }).first().waitFor();
  assert.match(decodeURIComponent(page.url()), /rate\(shop_orders_total\[5m\]\)/);
  await second.getByText('Table', { exact: true }).click();
  await second.getByRole('cell', { name: 'south' }).waitFor();
  assert.equal(await second.locator('tbody tr').count(), 2);
  await second.getByText('Explain', { exact: true }).click();
  await second.getByRole('button', { name: 'shop_orders_total[5m]', exact: true }).waitFor();
  await second.getByText('2 series', { exact: true }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  await second.getByText('Graph', { exact: true }).click();
  await second.getByRole('button', { name: 'Add to a dashboard' }).click();
  await page.getByRole('textbox', { name: 'Its title' }).fill('Shops');
  await page.getByRole('textbox', { name: 'Title of the panel' }).fill('Orders');
  await page.getByRole('button', { name: 'Add the panel' }).click();
  await page.getByText('The panel is on Shops.').waitFor();
  const made = await nines.get<{ spec: { panels: Record<string, { kind: string; source: { queries: { expr: string }[] } }> } }>(
    '/api/dashboards/shops',
  );
  assert.equal(made.json.spec.panels['orders']?.source.queries[0]?.expr, 'rate(shop_orders_total[5m])');
  assert.deepEqual(complaints, []);
});

test('a query without results says why and what to run instead, on a phone and in the dark', async () => {
  const { page, complaints } = await openPage(browser, nines.base, { theme: 'dark', width: 390 });
  await page.goto('/explore?q=sum(rate(shop_order_total[5m]))%20%3E%200');
  await page.getByText('No metric is called shop_order_total. There is shop_orders_total.').waitFor();
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), 'wider than the screen');
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Run this' }).click();
  await page.getByRole('img', { name: /^Over time\. sum\(rate\(shop_orders_total\[5m\]\)\) > 0: last/ }).waitFor();

  await page.getByRole('button', { name: 'Make an alert from this' }).click();
  await page.getByText(/1 of 1 series is > 0 at some time/).waitFor();
  await page.getByText('As text, for version control').click();
  await page.getByText('metric: "sum(rate(shop_orders_total[5m]))"', { exact: false }).waitFor();
  assert.deepEqual(complaints, []);
});
