import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let good: Target;
let bad: Target;
let nines: Nines;

const prometheusFile = (): string => `global: { scrape_interval: 1s, scrape_timeout: 900ms }
scrape_configs:
  - job_name: shop
    static_configs:
      - { targets: ['127.0.0.1:${good.port}'], labels: { zone: eu } }
      - { targets: ['127.0.0.1:${bad.port}'], labels: { zone: us } }
      - targets: ['127.0.0.1:1']
    relabel_configs: [{ action: drop, source_labels: [__address__], regex: '127.0.0.1:1' }]
  - job_name: empty
    file_sd_configs: [{ files: [none/*.json] }]
`;

before(async () => {
  [browser, good, bad] = await Promise.all([launch(), startTarget(), startTarget()]);
  const type = { 'content-type': 'text/plain; version=0.0.4' };
  good.answerWith((_request, response) => void response.writeHead(200, type).end('orders_total 3\nqueue 2\n'));
  bad.answerWith((_request, response) => void response.writeHead(200, type).end('orders_total 3\nqueue{ 2\n'));
  nines = await startNines({ config: 'scrape: { files: [prometheus.yml] }\n', files: { 'prometheus.yml': prometheusFile() } });
  await poll('a verdict on both targets', async () => {
    const { json } = await nines.get<{ items: readonly { state: string }[] }>('/api/targets');
    return json.items.length === 2 && json.items.every(({ state }) => state !== 'unknown');
  });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
  await good?.[Symbol.asyncDispose]();
  await bad?.[Symbol.asyncDispose]();
});

test('the unhealthy target stands first with its reason, and opens with labels before and after relabelling', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/targets');
  await page.getByText('2 scraped, 1 down.').waitFor();
  const rows = page.getByRole('table', { name: 'Targets of shop' }).getByRole('row');
  await rows.nth(1).getByText('Down', { exact: true }).waitFor();
  await rows
    .nth(1)
    .getByText(/^line 2: /)
    .waitFor();
  await rows.nth(2).getByText('Up', { exact: true }).waitFor();
  await page.getByText('2 targets, 1 dropped by relabelling').waitFor();
  await page.getByText('Discovery has found no target for this job.').waitFor();
  await rows.nth(1).getByRole('link').click();
  const drawer = page.getByRole('dialog', { name: 'Target' });
  await drawer.getByText(/^line 2: /).waitFor();
  await drawer.getByText('zone=us').first().waitFor();
  await drawer.getByText('__metrics_path__=/metrics').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.reload();
  await drawer.getByText('Why it is down').waitFor();
  await page.keyboard.press('Escape');
  await poll('the drawer to close', async () => (await drawer.count()) === 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('what is filtered stands in the address', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/targets?state=up');
  const table = page.getByRole('table', { name: 'Targets of shop' });
  await table.getByText('Up', { exact: true }).waitFor();
  assert.equal(await table.getByRole('row').count(), 2);
  await page.getByLabel('State').selectOption('dropped');
  await page.getByText('__address__=127.0.0.1:1').waitFor();
  await page.waitForURL('**/targets?state=dropped');
  await page.goto('/targets?q=nothing-like-it');
  await page.getByText('No target matches the filter.').waitFor();
  await page.goto('/targets?job=shop&q=line');
  await table.getByText(/^line 2: /).waitFor();
  assert.equal(await table.getByRole('row').count(), 2);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('without any job the page says what to write', async () => {
  await using bare = await startNines();
  const { page, complaints } = await openPage(browser, bare.base);
  await page.goto('/targets');
  await page.getByText(/^Nothing is scraped yet\./).waitFor();
  await page.getByText(/job_name: node/).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('in both themes and on a phone nothing is lost', async () => {
  for (const view of [{ theme: 'dark' }, { theme: 'light', width: 390 }, { theme: 'dark', width: 390 }] as const) {
    const { page } = await openPage(browser, nines.base, view);
    await page.goto('/targets');
    await page.getByText('2 scraped, 1 down.').waitFor();
    const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(beyond <= 0, `${beyond} pixels too wide`);
    assert.deepEqual(await seriousFaults(page), []);
    await page.context().close();
  }
});
