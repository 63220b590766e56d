import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startNines } from '../harness/nines.ts';
import { startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const config = (url: string): string => `
services:
  - id: shop
    name: Web shop
    checks: [{ id: shop-http, kind: http, url: '${url}/health', interval: 2s }]
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 10m } }
`;

test('from an outage in a statement to what its check saw it is two steps', async () => {
  await using target = await startTarget();
  await using nines = await startNines({ config: config(target.url) });
  const state = (wanted: string) =>
    poll(`the shop to be ${wanted}`, async () => (await nines.get<{ state: string }>('/api/services/shop')).json.state === wanted);
  await state('up');
  await target.stop();
  await state('down');
  await target.start();
  await state('up');
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/api/slas/shop-availability/report?format=html');
  await page.getByRole('heading', { name: 'Outages' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('table').getByRole('link').first().click();
  const strip = page.getByRole('slider', { name: /Time line of Web shop/ });
  await poll('the time line around the outage', async () => (await strip.getAttribute('aria-valuemax')) !== '1');
  // By keyboard, because the outage is a second wide; a click on it does the same.
  await strip.focus();
  await poll('the outage to be chosen', async () => {
    await page.keyboard.press('ArrowLeft');
    return ((await strip.getAttribute('aria-valuetext')) ?? '').startsWith('Down');
  });
  await page.keyboard.press('Enter');
  const evidence = page.getByRole('region', { name: 'Evidence of the chosen interval' });
  await evidence.getByText('shop-http').waitFor();
  await evidence.getByText(/connection refused|closed|reset/).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});
