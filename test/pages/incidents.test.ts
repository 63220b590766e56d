import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: 'services: []' })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('an incident is opened by hand, led, written down, resolved and looked back at', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/incidents');
  await page.getByText('No incident is open.').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByLabel('What happens').fill('Checkout is slow <b>today</b>');
  await page.getByRole('button', { name: 'Open incident' }).click();
  await page.getByRole('heading', { name: 'INC-1 Checkout is slow <b>today</b>' }).waitFor();
  await page.getByRole('button', { name: 'Acknowledged' }).click();
  const timeline = page.getByRole('table', { name: 'Time line, oldest first' });
  await timeline.getByText('open → acknowledged').waitFor();
  await page.getByLabel('commander').fill('anne');
  await page.getByLabel('commander').press('Enter');
  await timeline.getByText('anne is commander').waitFor();
  await page.getByLabel('What to link').selectOption('change');
  await page.getByLabel('Change', { exact: true }).fill('deploy-77');
  await page.getByLabel('What changed').fill('release <i>2.4</i>');
  await page.getByRole('button', { name: 'Link', exact: true }).click();
  await page.getByRole('list', { name: 'Links' }).getByText('release <i>2.4</i>').waitFor();
  await page.getByRole('button', { name: 'Take out change deploy-77' }).click();
  await timeline.getByText('change deploy-77 is linked no longer').waitFor();
  await page.getByLabel('Write into the time line').fill('The pool was empty');
  await page.getByRole('button', { name: 'Write down' }).click();
  await timeline.getByText('The pool was empty').waitFor();
  await page.getByLabel('Action item', { exact: true }).fill('Watch the pool');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('checkbox', { name: /Watch the pool/ }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Resolved' }).click();
  await timeline.getByText('acknowledged → resolved').waitFor();
  await page.getByRole('button', { name: 'Save post-mortem' }).click();
  await page.getByText(/^saved by /).waitFor();
  await page.goto('/incidents?status=all');
  await page.getByRole('link', { name: /INC-1 Checkout is slow/ }).waitFor();
  assert.deepEqual(complaints, []);
});
