import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const CONFIG = `
services:
  - { id: shop, name: Web shop }
  - { id: db, name: '<b>Database</b>' }
maintenance:
  - { id: nightly, name: Nightly backups, services: [db], cron: '30 2 * * *', zone: Europe/Berlin, duration: 1h }
`;

let browser: Browser;
let nines: Nines;

before(async () => {
  browser = await launch();
  nines = await startNines({ config: CONFIG });
});
after(async () => {
  await browser.close();
  await nines.stop();
});

const windows = (page: Page) => page.getByRole('table', { name: 'Maintenance windows' });
const minutesOn = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

test('maintenance is announced, changed and ended by keyboard, and stands on the page of its service', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/services');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await windows(page).getByText('30 2 * * *').waitFor();
  await page.getByRole('button', { name: 'Announce maintenance' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Announce maintenance' });
  await dialog.getByLabel('Name').waitFor();
  await page.keyboard.type('Move to the new racks');
  await dialog.getByRole('checkbox', { name: 'Web shop' }).focus();
  await page.keyboard.press('Space');
  await dialog.getByRole('button', { name: 'Announce it' }).focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('list', { name: 'Coming' }).getByText('Move to the new racks').waitFor();

  await page.getByRole('button', { name: 'Change Move to the new racks' }).click();
  const change = page.getByRole('dialog', { name: 'Change Move to the new racks' });
  await change.getByLabel('To').fill('2020-01-01T00:00');
  await change.getByRole('button', { name: 'Change it' }).click();
  await change
    .getByRole('alert')
    .getByText(/ends before it begins/)
    .waitFor();
  await change.getByText('By cron', { exact: true }).click();
  await change.getByLabel('Lasts').fill('45m');
  await change.getByRole('button', { name: 'Change it' }).click();
  await change.waitFor({ state: 'detached' });
  await windows(page)
    .getByText(/30 2 \* \* sun, 45.min/)
    .waitFor();

  await page.goto('/services/shop');
  await page.getByText('Move to the new racks').first().waitFor();
  await page.goto('/maintenance');
  await page.getByRole('button', { name: 'End Move to the new racks now' }).click();
  await page.getByRole('button', { name: 'End Move to the new racks', exact: true }).click();
  await windows(page).getByRole('cell', { name: 'Move to the new racks', exact: true }).waitFor({ state: 'detached' });
  // The browser itself logs the refused request.
  assert.deepEqual(
    complaints.filter((text) => !/status of 400/.test(text)),
    [],
  );
  await page.context().close();
});

test('the page is whole in light and dark and on a phone, with what goes on told first', async () => {
  const body = { id: 'now', name: '<img src=x onerror=alert(1)>', services: ['shop', 'db'], from: minutesOn(-5), to: minutesOn(60) };
  assert.equal((await nines.send('POST', '/api/maintenance', body)).status, 201);
  for (const theme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      const { page, complaints } = await openPage(browser, nines.base, { theme, width });
      await page.goto('/maintenance');
      await page.getByRole('list', { name: 'Going on' }).getByText('<img src=x onerror=alert(1)>').waitFor();
      await windows(page).getByText('Nightly backups').waitFor();
      assert.deepEqual(await seriousFaults(page), [], `${theme} ${width}`);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(overflow, 0, `nothing stands beside the page at ${width}`);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  }
});
