import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, freePort, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let target: Target;
let nines: Nines;

const HOSTILE = '<img src=x onerror="document.title=1">';
const LONG = 'Averylongnamewithoutanyplacewhereitcouldbebrokenintolines'.repeat(2);

const config = (good: string, nobody: number): string => `
services:
  - { id: shop, name: '${HOSTILE}', checks: [{ id: shop-http, kind: http, url: '${good}/health', interval: 1s, timeout: 1s }] }
  - { id: api, name: '${LONG}', checks: [{ id: api-tcp, kind: tcp, address: '127.0.0.1:${nobody}', interval: 1s, timeout: 1s }] }
  - { id: mail, name: Mail }
channels:
  - { id: mail, kind: email, host: 127.0.0.1, port: 1, tls: none, from: a@example.org, to: b@example.org }
maintenance:
  - { id: move, name: Database move, services: [mail], cron: '0 2 * * 0', zone: Europe/Berlin, duration: 2h }
status_pages:
  - id: public
    title: Shop status
    description: How our services fare.
    zone: Europe/Berlin
    services: [shop]
    groups: [{ name: Back office, services: [api, { service: mail, description: 'What we send.' }] }]
    colours: { accent: '#ffd400', accent_dark: '#5a0000' }
    subscriptions: { email: mail, webhook: true }
  - { id: staff, title: For the staff, services: [shop], private: { password: 'correct horse' } }
`;

before(async () => {
  [browser, target] = await Promise.all([launch(), startTarget()]);
  nines = await startNines({ config: config(target.url, await freePort()) });
  const said = { title: HOSTILE, pages: ['public', 'staff'], services: ['api', 'shop'], text: `${HOSTILE}\n${LONG}` };
  assert.equal((await nines.send('POST', '/api/announcements', said)).status, 201);
  const past = { title: 'Over', pages: ['public'], state: 'resolved', text: 'It was short.' };
  assert.equal((await nines.send('POST', '/api/announcements', past)).status, 201);
  await poll('both verdicts on the page', async () => {
    const { text } = await nines.get('/status/public');
    return text.includes('s-down') && text.includes('s-up');
  });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
});

// Run in the page, whose names these files do not know.
const overflows = (page: Page): Promise<boolean> => page.evaluate('document.documentElement.scrollWidth > window.innerWidth');

test('a status page is read in light, in dark, on a phone and on paper, and needs no script', async () => {
  for (const view of [{}, { theme: 'dark' }, { width: 390 }] as const) {
    const { page, complaints } = await openPage(browser, nines.base, view);
    let scriptBytes = 0;
    page.on('response', async (response) => {
      if (response.request().resourceType() === 'script') scriptBytes += (await response.body()).length;
    });
    await page.goto('/status/public');
    await page.getByRole('heading', { name: 'Shop status', level: 1 }).waitFor();
    await page.getByText(`${LONG} is down`).waitFor();
    await page.getByRole('heading', { name: HOSTILE, level: 3 }).first().waitFor();
    assert.equal(await page.locator('img').count(), 0, 'text stays text');
    assert.equal(await page.locator('script').count(), 0);
    assert.equal(scriptBytes, 0, 'the budget for scripts is 30 KB; none is used');
    assert.equal(await page.getByRole('img', { name: /day by day: 90 days/ }).count(), 3);
    assert.deepEqual(await seriousFaults(page), []);
    assert.equal(await overflows(page), false, 'nothing is wider than the screen');
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
  const { page } = await openPage(browser, nines.base);
  await page.goto('/status/public');
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('button').first().isVisible(), false, 'paper has no buttons');
  assert.equal(await page.getByText(`${LONG} is down`).isVisible(), true);
  await page.context().close();
});

test('a status page is used with the keyboard, and with scripts switched off', async () => {
  const context = await browser.newContext({ baseURL: nines.base, javaScriptEnabled: false, reducedMotion: 'reduce' });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto('/status/public');
  await page.keyboard.press('Tab');
  await page.getByRole('link', { name: 'Skip to the content' }).and(page.locator(':focus')).waitFor();
  const days = page.locator('#service-api details');
  await days.locator('summary').focus();
  await page.keyboard.press('Enter');
  await days.getByText(/^down /).waitFor();
  await days.getByText('7 d', { exact: true }).waitFor();
  await page.getByLabel('Email address').fill('ann@example.org');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await page.getByRole('link', { name: 'Back to Shop status' }).click();
  await page.getByRole('heading', { name: 'Maintenance', exact: true }).waitFor();
  await context.close();
});

test('a private page opens with its password, and says nothing before', async () => {
  const { page } = await openPage(browser, nines.base);
  await page.goto('/status/staff');
  await page.getByText('There is no page under this address').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('link', { name: 'Enter a password' }).click();
  await page.getByLabel('Password').fill('wrong horse');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByLabel('Password').fill('correct horse');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'For the staff' }).waitFor();
  await page.context().close();
});

test('people announce something in the application, follow it up and take it back', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/status-pages');
  await page.getByRole('table', { name: 'Status pages' }).getByText('Shop status').waitFor();
  const title = 'Payments fail';
  await page.getByRole('button', { name: 'Announce something' }).click();
  const dialog = page.getByRole('dialog', { name: 'Announce something' });
  await dialog.getByRole('textbox', { name: 'Title' }).fill(title);
  await dialog.getByLabel('Shop status').check();
  await dialog.getByLabel('Mail').check();
  await dialog.getByLabel('What is said').fill('We look into it.');
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Announce it' }).click();
  const card = page.getByRole('article', { name: title });
  await card.getByText('We look into it.').waitFor();
  assert.match((await nines.get('/status/public')).text, new RegExp(title));
  await card.getByRole('button', { name: 'Write an update' }).click();
  await card.getByLabel('How it stands').selectOption('resolved');
  await card.getByLabel('What is said').fill('The cable is back.');
  await card.getByRole('button', { name: 'Post the update' }).click();
  await page.getByRole('region', { name: 'Resolved' }).getByText('The cable is back.').waitFor();
  assert.match((await nines.get('/status/public')).text, /The cable is back\./);
  assert.deepEqual(await seriousFaults(page), []);
  await card.getByRole('button', { name: 'Withdraw' }).click();
  await card.getByRole('button', { name: 'Take it off the pages' }).click();
  await poll('the card to go', async () => (await card.count()) === 0);
  assert.doesNotMatch((await nines.get('/status/public')).text, new RegExp(title));
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the page of the application is read in dark on a phone', async () => {
  const { page, complaints } = await openPage(browser, nines.base, { theme: 'dark', width: 390 });
  await page.goto('/status-pages');
  await page.getByRole('table', { name: 'Status pages' }).getByText('Shop status').waitFor();
  await page.getByRole('article').first().waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.equal(await overflows(page), false);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a private page is opened from the application without its password', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/status-pages');
  await page.getByRole('button', { name: 'For the staff', exact: true }).click();
  await page.getByRole('heading', { name: 'For the staff', level: 1 }).waitFor();
  await page.waitForURL('**/status/staff');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an administrator makes a page in the application and takes it away', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/status-pages');
  await page.getByRole('button', { name: 'Make a page' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make a status page' });
  await dialog.getByRole('textbox', { name: 'Title' }).fill('For partners');
  await dialog.getByText('It will be at /status/for-partners.').waitFor();
  await dialog.getByLabel('Mail', { exact: true }).check();
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Make the page' }).click();
  const table = page.getByRole('table', { name: 'Status pages' });
  await table.getByRole('link', { name: 'For partners', exact: true }).waitFor();
  assert.match((await nines.get('/status/for-partners')).text, /<h1>For partners<\/h1>/);
  await table.getByRole('button', { name: 'Take away For partners' }).click();
  await table.getByRole('button', { name: 'Really take For partners away' }).click();
  await poll('the row to go', async () => (await table.getByRole('link', { name: 'For partners' }).count()) === 0);
  assert.equal((await nines.get('/status/for-partners')).status, 404);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
