import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const FIRST = 'services:\n  - { id: shop, name: Shop, checks: [] }\n';
let browser: Browser;
let nines: Nines;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: FIRST })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('an administrator reads who did what, opens an entry, follows its object and has the log examined', async () => {
  const matchers = [{ name: 'service', op: '=', value: 'shop' }];
  const body = { matchers, ends_at_ms: Date.parse('2100-01-01T00:00:00Z'), comment: 'new disk' };
  const made = await nines.send<{ id: string }>('POST', '/api/silences', body);
  assert.ok(made.status < 300, made.text);
  await nines.send('DELETE', `/api/silences/${made.json.id}`);
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/settings/audit');
  const table = page.getByRole('table', { name: 'Audit log' });
  const row = table.getByRole('row').filter({ hasText: 'POST /api/silences' });
  await row.getByText('Done').waitFor();
  await row.getByRole('link', { name: 'POST /api/silences', exact: true }).click();
  await page.getByRole('table', { name: 'Before and after' }).getByText('new disk').waitFor();
  await row.getByRole('link', { name: `silences/${made.json.id}` }).click();
  await table.getByText('DELETE /api/silences/:id').waitFor();
  assert.match(page.url(), /object=silences/);
  await page.goto('/silences');
  await page.getByRole('link', { name: 'History of service="shop"' }).click();
  await table.getByText('DELETE /api/silences/:id').waitFor();
  await page.goto('/services/shop');
  await page.getByRole('link', { name: 'History', exact: true }).click();
  await page.getByText('Nobody changed services/shop through Nines.').waitFor();
  await page.getByRole('button', { name: 'Examine the whole log' }).click();
  await page
    .getByRole('status')
    .getByText(/✓ Whole: \d+ entries/)
    .waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});

test('versions of the configuration: what each changed, and the way back', async () => {
  writeFileSync(join(nines.folder, 'nines.yml'), FIRST.replace('name: Shop', 'name: The shop'));
  assert.equal((await nines.send('POST', '/-/reload')).status, 200);
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/settings/configuration');
  await page.getByRole('table', { name: 'What version 2 changed' }).getByText('The shop').waitFor();
  await page.getByRole('table', { name: 'Versions' }).getByRole('link', { name: '1', exact: true }).click();
  await page.getByRole('button', { name: 'Write version 1 back into the file and take it over' }).click();
  await page.getByRole('table', { name: 'Versions' }).getByText('Put back').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});
