import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const CONFIG = `
channels:
  - { id: log, kind: log }
  - { id: gone, kind: webhook, url: 'http://127.0.0.1:1/', templates: { title: '<b>{{ .Status }}</b>' } }
`;

test('what became of each message is told with its reason, and what was given up is sent again', async (t) => {
  await using nines = await startNines({ config: CONFIG });
  const browser = await launch();
  t.after(() => browser.close());
  for (const channel of ['log', 'gone']) assert.equal((await nines.send('POST', `/api/channels/${channel}/test`)).status, 200);
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/notifications');
  const table = page.getByRole('table', { name: 'Notifications' });
  await table.getByText(/Delivered at the first try/).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByText('Given up', { exact: true }).first().click();
  await page.waitForURL(/status=dead/);
  await table.getByText(/connect ECONNREFUSED/).waitFor();
  await table.getByText(/Delivered at the first try/).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Send again to gone' }).focus();
  await page.keyboard.press('Enter');
  // It is tried again until it is a day old.
  await page.getByText('No message is like this.').waitFor();
  await page.setViewportSize({ width: 390, height: 900 });
  await page.goto('/notifications');
  await table.getByText(/Waiting/).waitFor();
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  assert.equal(overflow, 0);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto('/settings/channels');
  const channels = page.getByRole('table', { name: 'Channels' });
  await channels.getByText(/connect ECONNREFUSED/).waitFor();
  await page.getByRole('button', { name: 'Send a test through log' }).click();
  await channels.getByText(/^Taken in /).waitFor();
  await channels.getByRole('link', { name: '2 delivered' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});
