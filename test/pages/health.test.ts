import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { CheckDetailView } from '@nines/server/checks/contract.ts';
import { listen } from '../harness/checks.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
  await nines.stop();
});

/** One that is over, so that its evidence stands. */
const downtimeOf = (): Promise<string> =>
  poll('a downtime of the shop', async () => {
    const { json } = await nines.get<{ items: readonly { readonly id: string; readonly evidence: readonly unknown[] }[] }>(
      '/api/downtime?service=shop',
    );
    return json.items.find(({ evidence }) => evidence.length > 0)?.id;
  });

test('the page Health, a journey that failed with its picture, flapping, and a check that is paused by a button', async (t) => {
  let asked = 0;
  const site = await listen(
    t,
    createServer((request, answer) => {
      if (request.url === '/page') return void answer.setHeader('content-type', 'text/html').end('<title>Shop</title><h1>Sold out</h1>');
      answer.writeHead(asked++ % 2 === 0 ? 200 : 503, { 'retry-after': '30', 'set-cookie': 'session=of-somebody' }).end('Sold out');
    }),
  );
  const config = `
checks: { browser: { sandbox: false } }
recovery:
  commands: [/bin/true]
  actions: [{ id: nothing, check: shop-http, kind: command, command: [/bin/true], automatic: false }]
services:
  - id: shop
    name: Web shop
    checks:
      - { id: shop-http, kind: http, url: 'http://127.0.0.1:${site}/', interval: 1s }
      - id: shop-journey
        kind: browser
        interval: 30s
        timeout: 20s
        step_timeout: 1s
        steps: [{ open: 'http://127.0.0.1:${site}/page' }, { name: find a price, expect_text: { contains: CHF } }]
`;
  nines = await startNines({ config });
  const made = { id: 'market', checks: [{ id: 'market-http', kind: 'http', url: 'https://market.invalid/', interval: '1s' }] };
  assert.equal((await nines.send('POST', '/api/services', made)).status, 201);
  const { page, complaints } = await openPage(browser, nines.base);

  const failure = await poll(
    'the journey to fail',
    async () => (await nines.get<CheckDetailView>('/api/checks/shop-journey')).json.last_failure,
  );
  assert.deepEqual([failure.code, failure.screenshot, failure.steps.length], ['expectation', true, 2]);
  await page.goto('/checks?check=shop-journey');
  await page
    .getByText(/^step 2 \(find a price\): not seen within 1\ss/)
    .first()
    .waitFor();
  await page.getByRole('img', { name: 'What the browser saw' }).waitFor();
  const width = await page
    .getByRole('img', { name: 'What the browser saw' })
    .evaluate((picture) => (picture as unknown as { naturalWidth: number }).naturalWidth);
  assert.equal(width, 1280);
  await page.getByText('2 find a price').first().waitFor();

  await page.goto('/checks?check=shop-http');
  await page.getByText(/^Flapping: \d+ % of its last 21 states were changes, since /).waitFor();
  await page.getByRole('button', { name: 'Dry run of nothing' }).click();
  await page.getByText(': would run /bin/true').waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  await page.goto(`/services/shop?downtime=${await downtimeOf()}`);
  await page.getByRole('region', { name: 'What checks saw' }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'shop-http', level: 1 }).waitFor();
  const attempt = page.getByRole('region', { name: /^Results around / });
  await attempt.getByText('status 503, expected 2xx').first().waitFor();
  await attempt.getByText(`127.0.0.1:${site}`).waitFor();
  await attempt.getByText(/headers of the answer$/).click();
  const headers = attempt.getByLabel('Headers of the answer');
  await headers.getByText('retry-after').waitFor();
  assert.ok(!(await headers.innerText()).includes('of-somebody'));
  await attempt.getByText('Sold out').waitFor();
  await attempt.getByRole('table').getByText('status 503').first().waitFor();
  await page.getByRole('region', { name: 'Used by' }).getByRole('link', { name: 'Web shop' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  await page.goto('/checks?check=market-http');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused: nothing is asked, and its time is unknown.').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();

  for (const theme of ['light', 'dark'] as const) {
    const opened = await openPage(browser, nines.base, { theme });
    await opened.page.goto('/health');
    await opened.page.getByRole('table', { name: 'Figures of system resources' }).getByText('Memory in use').waitFor();
    await opened.page.getByRole('img', { name: /^Last day of file system: / }).waitFor();
    assert.equal(await opened.page.locator('section.section').count(), 5);
    assert.deepEqual(await seriousFaults(opened.page), []);
    assert.deepEqual(opened.complaints, []);
  }
  assert.deepEqual(complaints, []);
});
