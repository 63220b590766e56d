import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, ConsoleMessage, Page, Request } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const config = (url: string): string => `
services:
  - id: shop
    name: Web shop
    owner: platform
    checks:
      - { id: shop-http, kind: http, url: '${url}/health', interval: 1s, timeout: 1s, expect: { status: [200], body_contains: ok } }
    depends_on: [search]
  - id: search
    name: Search
    checks:
      - { id: search-http, kind: http, url: '${url}/search', interval: 1s, timeout: 1s }
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }
rules:
  thresholds:
    - { id: MEMORY_IN_USE, metric: system.memory.percent, condition: '>', threshold: 0.01, for: 0s, severity: warning }
`;

let browser: Browser;
let target: Target;
let nines: Nines;

before(async () => {
  [browser, target] = await Promise.all([launch(), startTarget()]);
  nines = await startNines({ config: config(target.url) });
});
after(async () => {
  await browser.close();
  await nines.stop();
  await target[Symbol.asyncDispose]();
});

const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** A page is whole when its heading stands and nothing says that it is being read. */
async function whole(page: Page, path: string): Promise<void> {
  const heard: string[] = [];
  const hear = (message: ConsoleMessage): void => void heard.push(message.text());
  const hearFailed = (request: Request): void => void heard.push(`${request.url()}: ${request.failure()?.errorText ?? 'failed'}`);
  page.on('console', hear).on('requestfailed', hearFailed);
  await page.goto(path);
  try {
    await heading(page).waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  } catch (cause) {
    throw new Error(`${path} did not become whole; the browser said: ${heard.join(' | ')}`, { cause });
  } finally {
    page.off('console', hear).off('requestfailed', hearFailed);
  }
}

test('with no configuration at all the overview shows the figures of the host within ten seconds', async () => {
  await using bare = await startNines();
  const { page, complaints } = await openPage(browser, bare.base);
  await page.goto('/');
  const card = (name: string) => page.locator('.host-card', { hasText: name }).locator('.host-figure');
  await card('Memory')
    .filter({ hasText: /\d+\.\d %/ })
    .waitFor({ timeout: 10_000 });
  await card('CPU')
    .filter({ hasText: /\d+\.\d %/ })
    .waitFor({ timeout: 10_000 });
  await page.getByText('No service is watched yet.').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an outage reaches the open overview by itself, and its evidence opens by keyboard', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await whole(page, '/');
  await heading(page).filter({ hasText: 'All 2 services are up.' }).waitFor({ timeout: 120_000 });
  await target.stop();
  await heading(page).filter({ hasText: '2 of 2 services are down' }).waitFor({ timeout: 120_000 });
  await page.getByRole('link', { name: 'Web shop', exact: true }).click();
  // On a slow machine what the first failing attempt saw may be another fault than the refusal.
  const { json: shop } = await nines.get<{ why: string }>('/api/services/shop');
  const seen = shop.why.replace(/^shop-http: /, '');
  assert.notEqual(seen, '', 'what an outage is made of is told');
  await heading(page)
    .filter({ hasText: /^Web shop is down since / })
    .filter({ hasText: seen })
    .waitFor();
  const strip = page.getByRole('slider', { name: /Time line of Web shop/ });
  await page.getByText('1 h', { exact: true }).click();
  await poll('the time line to end in the outage', async () => (await strip.getAttribute('aria-valuetext'))?.startsWith('Down from'));
  await strip.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const evidence = page.getByRole('region', { name: 'Evidence of the chosen interval' });
  await evidence.getByText('shop-http').first().waitFor();
  await evidence.getByText(/between .* and /).waitFor();
  await target.start();
  await heading(page).filter({ hasText: 'Web shop is up since' }).waitFor({ timeout: 120_000 });
  await page.getByRole('table', { name: 'Downtimes' }).getByText(seen).first().waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an alert is acknowledged from the list and shows who did what', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await whole(page, '/alerts-dashboard');
  const row = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem').filter({ hasText: 'MEMORY_IN_USE' });
  await row.getByText('Firing').waitFor({ timeout: 20_000 });
  await row.getByRole('checkbox').check();
  await page.getByRole('region', { name: 'Selected alerts' }).getByRole('button', { name: 'Acknowledge' }).click();
  await row.getByText(/Acknowledged/).waitFor();
  const { json } = await nines.get<{ items: { rule: string; state: string }[] }>('/api/alerts?status=acknowledged');
  assert.ok(json.items.some((alert) => alert.rule === 'MEMORY_IN_USE'));
  await row.getByRole('button').first().click();
  const detail = page.getByRole('region', { name: 'Alert', exact: true });
  await detail.getByText('Acknowledged', { exact: true }).waitFor();
  await detail.getByRole('button', { name: 'Comment …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Comment 1 alert' });
  await dialog.getByLabel('Comment').fill('looked at it');
  await dialog.getByRole('button', { name: 'Add the comment' }).click();
  await detail.getByText(/looked at it/).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the page of an SLA shows buckets that sum to its window, and its report opens', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await whole(page, '/slas/shop-availability');
  await page.getByText('Sum = the window').waitFor();
  await page.locator('tfoot').getByText('86,400,000').waitFor();
  const report = await page.getByRole('link', { name: 'Open report' }).getAttribute('href');
  const answer = await nines.get(report ?? '');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a service is added and retired from the page, and one of the file is not', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await whole(page, '/services');
  await page.getByRole('button', { name: 'Add a service' }).click();
  const form = page.getByRole('dialog', { name: 'Add a service' });
  await form.getByLabel('Name').fill('Public site');
  await form.getByLabel('Address').fill('http://192.0.2.1/health');
  assert.deepEqual(await seriousFaults(page), []);
  await form.getByRole('button', { name: 'Add the service' }).click();
  await heading(page).filter({ hasText: 'Public site' }).waitFor();
  assert.equal((await nines.get<{ origin: { kind: string } }>('/api/services/public-site')).json.origin.kind, 'ui');
  await page.getByRole('button', { name: 'Retire', exact: true }).click();
  await page.getByRole('button', { name: 'Retire Public site' }).click();
  await page.waitForURL('**/services');
  await poll('the service to be gone', async () => (await page.getByText('Public site').count()) === 0);
  await whole(page, '/services/shop');
  await page.getByRole('region', { name: 'It depends on' }).getByRole('link', { name: 'search' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Retire' }).count(), 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('on a phone the other pages open from the bar at the bottom', async () => {
  const { page } = await openPage(browser, nines.base, { width: 390 });
  await whole(page, '/');
  const pages = page.getByRole('navigation', { name: 'Pages' });
  assert.equal(await pages.getByRole('link', { name: 'Settings' }).isVisible(), false);
  await pages.getByRole('button', { name: 'More' }).click();
  assert.deepEqual(await seriousFaults(page), [], 'with the other pages open');
  await pages.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  await pages.getByRole('link', { name: 'Settings' }).waitFor({ state: 'hidden' });
  await page.context().close();
});

test('the keyboard goes to every page, filters, walks rows and lists its own keys', async () => {
  const { page } = await openPage(browser, nines.base);
  await whole(page, '/');
  for (const [letter, path] of Object.entries({ s: '/services', l: '/slas', c: '/checks', a: '/alerts-dashboard', o: '/' })) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await page.waitForURL((url) => url.pathname === path);
    await heading(page).waitFor();
  }
  await whole(page, '/services');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname.startsWith('/services/'));
  await whole(page, '/services');
  await page.keyboard.press('/');
  await page.keyboard.type('web');
  await poll('one service to be left', async () => (await page.getByRole('row').count()) === 2);
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Services' }).click();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Take: assign to me').waitFor();
  await page.context().close();
});

test('the one-time link creates the administrator, who signs out and in again', async () => {
  await using closed = await startNines({ args: [] });
  const link = /http:\/\/[^\s]+\/setup#token=[^\s]+/.exec(closed.output())?.[0];
  assert.ok(link, closed.output());
  const { page } = await openPage(browser, closed.base);
  await page.goto('/');
  await page.waitForURL('**/login');
  assert.deepEqual(await seriousFaults(page), []);
  await page.goto(new URL(link).pathname + new URL(link).hash);
  await page.getByLabel('Name').fill('ana');
  await page.locator('input[type=password]').fill('correct horse battery');
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByText('ana, administrator').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  await page.getByLabel('Name').fill('ana');
  await page.locator('input[type=password]').fill('wrong horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  assert.equal(await page.getByRole('alert').innerText(), 'The name or the password is wrong.');
  await page.locator('input[type=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('ana, administrator').waitFor();
  await page.goto(new URL(link).pathname + new URL(link).hash);
  await page.locator('input[type=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  await page.context().close();
});

test('a session that ends elsewhere leaves nothing of what was read in the page', async () => {
  await using closed = await startNines({ args: [] });
  const link = /http:\/\/[^\s]+\/setup#token=[^\s]+/.exec(closed.output())?.[0];
  assert.ok(link, closed.output());
  const { page } = await openPage(browser, closed.base);
  await page.goto(new URL(link).pathname + new URL(link).hash);
  await page.getByLabel('Name').fill('ana');
  await page.locator('input[type=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByText('ana, administrator').waitFor();
  const remembers = () => page.evaluate(() => Reflect.has(globalThis, 'whatWasRead'));
  await page.evaluate(() => Reflect.set(globalThis, 'whatWasRead', 'of a customer'));
  await page.getByRole('link', { name: 'Services', exact: true }).first().click();
  await page.waitForURL('**/services');
  assert.ok(await remembers(), 'pages follow one another in one document');
  const ended = await page.request.delete(new URL('/api/session', closed.base).href, { headers: { origin: new URL(closed.base).origin } });
  assert.equal(ended.status(), 204);
  // Whatever the page asks next; when its stream has told it before, there is nothing to press any more.
  await page
    .getByRole('link', { name: 'SLAs', exact: true })
    .first()
    .click({ timeout: 5_000 })
    .catch(() => undefined);
  await page.waitForURL('**/login?next=*');
  await page.getByLabel('Name').waitFor();
  assert.equal(await remembers(), false);
  const next = new URL(page.url()).searchParams.get('next') ?? '';
  assert.match(next, /^\/(?:services|slas)$/);
  await page.getByLabel('Name').fill('ana');
  await page.locator('input[type=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(`**${next}`);
  await page.getByText('ana, administrator').waitFor();
  await page.context().close();
});

test('a server that goes away is missed at once, and one that comes back heals the page without a reload', async () => {
  await using first = await startNines({ config: config(target.url) });
  const { page } = await openPage(browser, first.base);
  await whole(page, '/services?q=web');
  const live = page.locator('.live');
  await live.getByText('Live', { exact: true }).waitFor();
  await page.evaluate(() => Reflect.set(globalThis, 'sameDocument', true));
  await first.kill();
  await live.getByText('Not live').waitFor();
  await page.getByRole('link', { name: 'Web shop', exact: true }).waitFor();
  await using second = await startNines({ folder: first.folder, port: first.port });
  assert.equal((await second.send('POST', '/api/services', { id: 'later', name: 'Web of later' })).status, 201);
  await live.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Web of later' }).waitFor();
  assert.equal(await page.evaluate(() => Reflect.get(globalThis, 'sameDocument')), true);
  assert.equal(new URL(page.url()).search, '?q=web');
  await page.context().close();
});
