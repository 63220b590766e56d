/** Where a person begins: the checklist of a new installation, the palette, and the page of a role. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let nines: Nines;
let browser: Browser;
before(async () => {
  nines = await startNines();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('a new installation says what it lacks and ticks it as it comes: a pasted service, samples, a promise, a status page', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/');
  const list = page.locator('.checklist');
  await page.getByText('0 of 5 done').waitFor();
  await list.getByRole('textbox', { name: 'Addresses, one a line' }).fill('Web shop https://shop.example.org\nnonsense');
  await list.getByRole('button', { name: 'Watch these' }).click();
  await list.getByText('nonsense: this is no address').waitFor();
  await list.getByText('Services are watched').waitFor();
  await nines.send('POST', '/api/metrics', { metrics: [{ name: 'orders_total', value: 1 }] });
  await list.getByText('Metrics arrive').waitFor();
  await list.getByText('orders_total').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await list.getByRole('button', { name: 'Set an SLA' }).click();
  await page.getByRole('button', { name: 'Set the SLA' }).click();
  await page.waitForURL('**/slas/web-shop-availability');
  await page.goto('/');
  await page.getByText('3 of 5 done').waitFor();
  await page.getByRole('button', { name: 'Put away' }).click();
  await list.waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
});

test('the palette finds pages, things and actions by keyboard, and remembers what was opened', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/services');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const find = async (typed: string, first: string) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find anything' }).fill(typed);
    await page.getByRole('option', { selected: true }).filter({ hasText: first }).waitFor();
  };
  // What is typed before its code has come is typed into it, and is no shortcut of the page.
  let come = (): void => {};
  const held = new Promise<void>((resolve) => (come = resolve));
  await page.route('**/palette-*.js', async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('gl exex');
  await page.keyboard.press('Backspace');
  come();
  await poll('what was typed ahead', async () => (await page.locator('.palette-input').inputValue()) === 'gl exe');
  assert.equal(new URL(page.url()).pathname, '/services');
  await find('executive', 'Executive');
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/dashboards/executive');
  await find('web shop', 'Web shop');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/services/web-shop');
  await find('', 'Web shop');
  await page.keyboard.press('ArrowDown');
  await page.getByRole('option', { selected: true }).filter({ hasText: 'Executive' }).waitFor();
  await page.keyboard.press('Escape');
  await find('compact', 'Density: compact');
  await page.keyboard.press('Enter');
  await page.locator('html[data-density="compact"]').waitFor({ state: 'attached' });
  assert.deepEqual(complaints, []);
});

test('whoever opens the bare address begins where they chose; on a phone the inbox comes first', async () => {
  const { page, complaints } = await openPage(browser, nines.base, { width: 390 });
  await page.goto('/settings');
  await page.getByRole('combobox', { name: 'Where you begin' }).selectOption('/dashboards/operations');
  await page.goto('/');
  await page.waitForURL('**/dashboards/operations');
  assert.match((await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').first().textContent()) ?? '', /Alerts/);
  assert.equal((await nines.get('/nines.webmanifest')).headers.get('content-type'), 'application/manifest+json');
  await nines.send('PUT', '/api/preferences', { landing: null, checklist_hidden: false });
  assert.deepEqual(complaints, []);
});
