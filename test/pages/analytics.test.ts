import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

const CONFIG = `retention: { samples: 90d }
analytics:
  watch:
    - { name: shop_response, expr: shop_response_seconds, unit: seconds, limit: 0.5, forecast: false, anomalies: false }
`;
const HOUR_MS = 3_600_000;
const DAY = 24;
const LENGTH = 30 * DAY;
const LAG = 3;
const AN_HOUR = 12;

/** Spread like noise and always the same. */
const noise = (i: number): number => Math.sin(i * 12.9898 + (i % 7) * 78.233) * Math.cos(i * 4.1414);

/** Thirty days by the hour: a day's rhythm, a slow rise, one stretch far above; a queue that follows the orders. */
function thirtyDays(nowMs: number): string {
  const firstMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - (LENGTH - 1) * HOUR_MS;
  const drift: number[] = [];
  for (let i = 0; i < LENGTH; i++) drift.push(0.8 * (drift.at(-1) ?? 0) + noise(i));
  const orders = drift.map((one, i) => 100 + 30 * Math.sin((i * Math.PI) / 12) + 6 * one);
  const planted = (i: number): boolean => i >= LENGTH - 6 * DAY && i < LENGTH - 6 * DAY + 5;
  const series: Readonly<Record<string, (i: number) => number>> = {
    shop_orders: (i) => orders[i] ?? 0,
    shop_queue_length: (i) => 5 + 0.1 * (orders[Math.max(0, i - LAG)] ?? 0) + 0.1 * noise(i * 3),
    shop_response_seconds: (i) => 0.25 + 0.0001 * i + 0.03 * Math.sin((i * Math.PI) / 12) + 0.004 * noise(i * 5) + (planted(i) ? 0.3 : 0),
  };
  // Each hour's value every five minutes: whoever looks at any minute finds one that is not stale.
  const timestamps = Array.from({ length: LENGTH * AN_HOUR }, (_, i) => firstMs + (i * HOUR_MS) / AN_HOUR).filter((atMs) => atMs <= nowMs);
  return Object.entries(series)
    .map(([name, valueAt]) =>
      JSON.stringify({ metric: { __name__: name }, values: timestamps.map((_, i) => valueAt(Math.floor(i / AN_HOUR))), timestamps }),
    )
    .join('\n');
}

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG })]);
  const imported = await nines.send<{ stored: number; samples: number }>('POST', '/api/import?format=vmjson', thirtyDays(Date.now()));
  assert.ok(imported.json.stored > LENGTH && imported.json.stored === imported.json.samples, imported.text);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

type Queried = {
  readonly step_ms: number;
  readonly series: readonly {
    readonly points: readonly (readonly [number, number])[];
    readonly summary: Readonly<Record<string, number>>;
  }[];
};
type Foretold = { readonly backtest: Readonly<Record<string, number>>; readonly points: readonly { readonly value: number }[] };
type Episodes = { readonly episodes: readonly { readonly from_at_ms: number; readonly score: number; readonly reason: string }[] };

const milliseconds = (seconds: number): string => `${Math.round(seconds * 1000)} ms`;
/** A figure on the page, by what stands above it. */
const fact = (page: Page, name: string) => page.locator('.series-head dt', { hasText: new RegExp(`^${name}$`) }).locator('+ dd');

test('a series is found by the keyboard, and every figure is what the server says', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/analytics');
  await page.getByRole('navigation', { name: 'Views of analytics' }).getByRole('link', { name: 'Series' }).press('Enter');
  await page.getByRole('button', { name: 'shop_response_seconds' }).waitFor();
  const field = page.locator('.series-expr input');
  await field.pressSequentially('shop_resp');
  await page.getByRole('option', { name: /shop_response_seconds/ }).waitFor();
  await field.press('ArrowDown');
  await field.press('Enter');
  await page.getByRole('heading', { name: 'shop_response_seconds', exact: true }).waitFor();
  assert.match(page.url(), /q=shop_response_seconds/);

  const queried = await nines.get<Queried>('/api/analytics/query?pattern=shop_response_seconds&window=30d');
  const [series] = queried.json.series;
  assert.ok(series !== undefined);
  const { points, summary } = series;
  assert.equal(await fact(page, 'Last').innerText(), milliseconds(summary['last'] ?? 0));
  assert.equal(await fact(page, 'Highest').innerText(), milliseconds(summary['max'] ?? 0));

  const foretold = await nines.send<Foretold>('POST', '/api/analytics/forecast', { points, horizon: 7 * DAY });
  const { beat_naive: beaten, origins } = foretold.json.backtest;
  await page.getByText(`Beat repeating the last day in ${beaten} of ${origins} tries`).waitFor();
  await page.getByText(new RegExp(`^At the end: ${milliseconds(foretold.json.points.at(-1)?.value ?? 0)} on `)).waitFor();
  await page.getByRole('img', { name: /^Forecast of shop_response_seconds/ }).waitFor();
  await page.getByText(/^Repeats every day/).waitFor();
  await page.getByRole('img', { name: /^By hour of the day\. Highest at/ }).waitFor();

  const found = await nines.send<Episodes>('POST', '/api/analytics/anomalies', { points, unit: 'seconds' });
  const [episode] = found.json.episodes;
  assert.ok(episode !== undefined && found.json.episodes.length === 1, found.text);
  await page.getByText(`score ${episode.score.toFixed(2)}`).waitFor();
  await page.getByText(episode.reason).waitFor();
  await page.locator('.episodes').getByRole('button').press('Enter');
  await page.getByRole('button', { name: 'Show the whole range' }).waitFor();
  assert.match(page.url(), new RegExp(`at=${episode.from_at_ms}`));
  await page.reload();
  await page.getByRole('button', { name: 'Show the whole range' }).press('Enter');
  await page.getByRole('button', { name: 'Show the whole range' }).waitFor({ state: 'detached' });
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});

test('what follows something else is named with its lag, and what cannot be told shows the reason of the server', async () => {
  const { page, complaints } = await openPage(browser, nines.base, { theme: 'dark', width: 390 });
  await page.goto('/analytics?view=series&q=shop_orders&with=shop_queue_length');
  await page.getByRole('heading', { name: /^shop_queue_length rises with it, 3\s+h later\.$/ }).waitFor();
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), 'wider than the screen');
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
  await page.goto('/analytics?view=series&q=shop_orders&window=24h&step=6h');
  await page.getByText('The forecast cannot be told.').waitFor();
  await page.getByText(/A forecast needs at least \d+ values/).waitFor();
});

test('what fills up stands in the table with its day or the reason why there is none', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  const { json } = await nines.get<{ items: readonly { name: string; reason: string; days: number | null }[] }>(
    '/api/analytics/capacity-table',
  );
  const row = json.items.find(({ name }) => name === 'shop_response');
  assert.ok(row !== undefined);
  await page.goto('/analytics?view=capacity&c=shop');
  const line = page.getByRole('table', { name: 'Capacity' }).getByRole('row').filter({ hasText: 'shop_response' });
  await line.waitFor();
  const told = await line.innerText();
  assert.ok(
    row.days === null ? told.includes(row.reason) : /in \d+ (days|weeks|months|h)/.test(told),
    `${told} for ${JSON.stringify(row)}`,
  );
  await line.getByRole('link', { name: 'shop_response' }).press('Enter');
  await page.getByRole('heading', { name: 'shop_response_seconds', exact: true }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});
