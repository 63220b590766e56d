/** People's pages as people use them: invited, given another role, ended from afar, and back where they were after signing in again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const PASSWORD = 'correct horse battery';
const OTHER = 'another good long one';

let browser: Browser;
let nines: Nines;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ args: [] })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const isAt = (page: Page, path: string): Promise<void> => page.waitForURL((url) => `${url.pathname}${url.search}` === path);

test('somebody is invited, joins, gets another role and loses a session: each time the page leads to the sign-in and back', async () => {
  const secret = /#token=(\S+)/.exec(nines.output())?.[1] ?? '';
  const { page: ann, complaints } = await openPage(browser, nines.base);
  await ann.goto(`/setup#token=${secret}`);
  await ann.getByLabel('Name').fill('Ann');
  await ann.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await ann.getByRole('button', { name: 'Create and sign in' }).click();
  await ann.getByRole('navigation', { name: 'Pages' }).waitFor();

  await ann.goto('/settings');
  await ann.getByRole('list', { name: 'Settings' }).getByRole('link', { name: 'People' }).click();
  await ann.getByRole('heading', { name: 'People', level: 1 }).waitFor();
  await ann.getByRole('textbox', { name: 'Name' }).fill('Bob');
  await ann.getByRole('button', { name: 'Invite' }).click();
  const link = await ann.getByText(/\/join#token=/).innerText();
  await ann.getByRole('row').filter({ hasText: 'Bob' }).getByText('Invited').waitFor();
  assert.deepEqual(await seriousFaults(ann), []);

  const { page: bob } = await openPage(browser, nines.base, { theme: 'dark', width: 390 });
  await bob.goto(`/join#token=${new URLSearchParams(new URL(link.trim()).hash.slice(1)).get('token')}`);
  await bob.getByRole('heading', { name: 'Welcome, Bob' }).waitFor();
  await bob.getByRole('textbox', { name: 'Password' }).fill(OTHER);
  assert.deepEqual(await seriousFaults(bob), []);
  await bob.getByRole('button', { name: 'Set the password and sign in' }).click();
  await bob.getByRole('navigation', { name: 'Pages' }).waitFor();
  await bob.goto('/settings/account');
  await bob.getByRole('table', { name: 'Sessions' }).getByText('(this one)').waitFor();
  assert.deepEqual(await seriousFaults(bob), []);
  const overflow = await bob.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  assert.equal(overflow, 0);
  const back = '/slas?kiosk=1';
  await bob.goto(back);
  await bob.getByText('Live', { exact: true }).waitFor({ state: 'attached' });

  // The role is changed elsewhere: the open page learns it from its stream, which ends.
  // Nobody told her page that he joined.
  await ann.reload();
  await ann.getByLabel('Role of Bob').selectOption('operator');
  await bob.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await signIn(bob, 'Bob', OTHER);
  await isAt(bob, back);
  await bob.getByText('Live', { exact: true }).waitFor({ state: 'attached' });

  // Ann has another page, which knows of nothing: what it would change was changed meanwhile, and it says by whom.
  const stale = await ann.context().newPage();
  let isStale = true;
  await stale.route('**/api/people', async (route) => {
    if (route.request().method() !== 'GET' || !isStale) return route.continue();
    const answer = await route.fetch();
    const body = (await answer.json()) as { items: { name: string; role: string; revision: number }[] };
    const items = body.items.map((one) => (one.name === 'Bob' ? { ...one, role: 'read-only', revision: one.revision - 1 } : one));
    await route.fulfill({ response: answer, json: { ...body, items } });
  });
  await stale.goto('/settings/people');
  const role = stale.getByLabel('Role of Bob');
  await role.waitFor();
  isStale = false;
  await role.selectOption('technical');
  await stale.getByRole('alert').getByText('Ann changed Bob since this page read it.').waitFor();
  await stale.getByRole('alert').getByText('role read-only → operator').waitFor();
  await poll('the present role', async () => (await role.inputValue()) === 'operator');
  await stale.close();

  await ann.reload();
  await ann.getByRole('button', { name: /^Sessions \(1\): Bob$/ }).click();
  await ann
    .getByRole('table', { name: 'Sessions' })
    .getByRole('button', { name: /^End the session/ })
    .click();
  await signIn(bob, 'Bob', OTHER);
  await isAt(bob, back);
  await bob.goto('/settings');
  await bob.getByRole('link', { name: 'Series' }).waitFor();
  assert.deepEqual(await bob.getByRole('list', { name: 'Settings' }).getByRole('link').allInnerTexts(), [
    'Account',
    'Channels',
    'Series',
    'Widgets',
    'API reference',
  ]);
  assert.deepEqual(complaints, []);
  await Promise.all([ann.context().close(), bob.context().close()]);
});
