/** Roles of one's own, and what a person sees, on their pages: made, refused in words, changed behind a proof, given away, removed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openDb } from '@nines/server/platform/db/open.ts';
import { STATE_FILE } from '@nines/server/platform/directory.ts';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const PASSWORD = 'correct horse battery';
const CONFIG = `
access:
  roles:
    - { id: auditor, name: Auditor, permits: { own: read, audit: read } }
`;
let browser: Browser;
let nines: Nines;
before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG, args: [] })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

/** The last proof of every session is of long ago. */
async function ageProofs(): Promise<void> {
  const db = await openDb({ kind: 'sqlite', path: join(nines.dataDir, STATE_FILE) });
  await db.kysely.updateTable('sessions').set({ proved_at_ms: 1 }).execute();
  await db.close();
}

test('an administrator makes a role, gives it to somebody who sees one team, and removes it when nobody holds it', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto(`/setup#token=${/#token=(\S+)/.exec(nines.output())?.[1] ?? ''}`);
  await page.getByLabel('Name').fill('Ann');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();

  await page.goto('/settings/roles?role=auditor');
  const roles = page.getByRole('table', { name: 'Roles', exact: true });
  const row = (name: string) => roles.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row('Auditor')
    .getByText(/declared at .*nines\.yml:/)
    .waitFor();
  assert.equal(
    await row('Auditor')
      .getByRole('button', { name: /^Change/ })
      .count(),
    0,
    'what the file declares is changed there',
  );
  const audit = page.getByRole('table', { name: 'What Auditor permits' }).getByRole('row').filter({ hasText: 'Audit log' });
  assert.deepEqual(await audit.getByRole('cell').allTextContents(), ['Audit log', 'yes', 'no', 'no', 'no']);
  assert.deepEqual(await seriousFaults(page), []);

  // A session that was left open makes no roles: the page asks who it is, and goes on.
  await ageProofs();
  await page.getByRole('button', { name: 'Make a role' }).click();
  const making = page.getByRole('dialog', { name: 'Make a role' });
  await making.getByLabel('Name').fill('Night watch');
  await making.getByLabel('Alerts, rules, silences').selectOption('operate');
  assert.deepEqual(await seriousFaults(page), []);
  await making.getByRole('button', { name: 'Make the role' }).click();
  const proof = page.getByRole('dialog', { name: 'Is it you?' });
  await proof.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await proof.getByRole('textbox', { name: 'Password' }).press('Enter');
  await making.waitFor({ state: 'hidden' });
  await row('Night watch').getByText('made here').waitFor();

  await page.goto('/settings/people');
  await page.getByLabel('Name').fill('Bob');
  await page.getByLabel('Role', { exact: true }).selectOption('night-watch');
  await page.getByLabel('Sees teams').fill('shop');
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByRole('button', { name: 'What Bob sees: team shop' }).click();
  const sight = page.getByRole('dialog', { name: 'What Bob sees' });
  await sight.getByLabel('Sees labels').fill('env="prod"');
  assert.deepEqual(await seriousFaults(page), []);
  await sight.getByRole('button', { name: 'Change what they see' }).click();
  await page.getByRole('button', { name: 'What Bob sees: team shop; env="prod"' }).waitFor();

  await page.goto('/settings/roles');
  await row('Night watch').getByText('Bob').waitFor();
  await row('Night watch').getByRole('button', { name: 'Change: Night watch' }).click();
  const changing = page.getByRole('dialog', { name: 'Change Night watch' });
  assert.equal(await changing.getByLabel('Alerts, rules, silences').inputValue(), 'operate');
  await changing.getByLabel('Incidents').selectOption('read');
  await changing.getByRole('button', { name: 'Change the role' }).click();
  await changing.waitFor({ state: 'hidden' });
  await row('Night watch').getByRole('button', { name: 'Remove: Night watch' }).click();
  await row('Night watch').getByRole('button', { name: 'Remove for ever: Night watch' }).click();
  await page.getByText('The role is held by Bob; give them another one first.').waitFor();

  await page.goto('/settings/people');
  const given = page.waitForResponse((answer) => answer.request().method() === 'PATCH' && answer.ok());
  await page.getByLabel('Role of Bob').selectOption('read-only');
  await given;
  await page.goto('/settings/roles');
  await row('Read-only').getByText('Bob').waitFor();
  await row('Night watch').getByRole('button', { name: 'Remove: Night watch' }).click();
  await row('Night watch').getByRole('button', { name: 'Remove for ever: Night watch' }).click();
  await row('Night watch').waitFor({ state: 'detached' });
  // The browser's own words for refusals that the page put into its own.
  assert.deepEqual(
    complaints.filter((text) => !/status of (401|403|409)/.test(text)),
    [],
  );
  await page.context().close();
});
