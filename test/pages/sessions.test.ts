/**
 * Attack: going on with a session that was taken away. Two browsers: what one ends, the other notices by itself or with its next action;
 * it leads to the sign-in and from there back to the page as it was.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, type Page, devices } from 'playwright-core';
import { type Answer, type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const PASSWORD = 'correct horse battery staple 9';
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const STATE = '/alerts-dashboard?status=all&group=severity';

let browser: Browser;
let nines: Nines;
let admin: Record<string, string>;
let person: string;

const cookieOf = ({ headers }: Answer): string =>
  headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
const signedIn = async (name: string, password: string): Promise<Record<string, string>> => {
  const answer = await nines.send('POST', '/api/session', { name, password }, SAME_ORIGIN);
  assert.ok(answer.status < 300, answer.text);
  return { cookie: cookieOf(answer), ...SAME_ORIGIN };
};

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: 'services: [{ id: shop, name: Shop }]', args: [] })]);
  const token = /\/setup#token=([^\s"]+)/.exec(nines.output())?.[1];
  const set = await nines.send('POST', '/api/setup', { token, name: 'ana', password: PASSWORD }, SAME_ORIGIN);
  assert.equal(set.status, 204, set.text);
  admin = { cookie: cookieOf(set), ...SAME_ORIGIN };
  const made = await nines.send<{ id: string; link: string }>('POST', '/api/people', { name: 'ben', role: 'operator' }, admin);
  assert.equal(made.status, 201, made.text);
  person = made.json.id;
  const secret = new URL(made.json.link, nines.base).hash.replace('#token=', '');
  const joined = await nines.send('POST', '/api/join', { token: secret, password: PASSWORD }, SAME_ORIGIN);
  assert.ok(joined.status < 300, joined.text);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

async function signIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.locator('input[type=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
/** Not by a pattern: the sign-in's own address ends with the page it leads to. */
const isSettings = (url: URL): boolean => url.pathname === '/settings';
const isSignIn = (url: URL): boolean => url.pathname === '/login';
/** The page with its state, as an address bar shows it. */
const isBack = (url: URL): boolean =>
  url.pathname === '/alerts-dashboard' && url.searchParams.get('status') === 'all' && url.searchParams.get('group') === 'severity';

test('an open page whose session an administrator ends goes to the sign-in by itself, and back to what it showed', async () => {
  const { page } = await openPage(browser, nines.base);
  await page.goto(STATE);
  await page.waitForURL(isSignIn);
  await signIn(page, 'ben');
  await page.waitForURL(isBack);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const ended = await nines.send('DELETE', `/api/people/${person}/sessions`, undefined, admin);
  assert.ok(ended.status < 300, ended.text);
  // Nobody touches the page: the live stream ends, is refused, and the page asks who it belongs to.
  await page.waitForURL(isSignIn);
  await signIn(page, 'ben');
  await page.waitForURL(isBack);
  await page.context().close();
});

const ENDINGS: readonly (readonly [how: string, end: () => Promise<Answer>, password: string])[] = [
  [
    'the person, from another browser',
    async () => nines.send('DELETE', '/api/sessions', undefined, await signedIn('ben', PASSWORD)),
    PASSWORD,
  ],
  [
    'a changed password',
    async () => nines.send('POST', '/api/password', { current: PASSWORD, next: `${PASSWORD} new` }, await signedIn('ben', PASSWORD)),
    `${PASSWORD} new`,
  ],
  ['a changed role', async () => change({ role: 'read-only' }), `${PASSWORD} new`],
];

async function change(what: Record<string, unknown>): Promise<Answer> {
  const { json } = await nines.get<{ items: { id: string; revision: number }[] }>('/api/people', admin);
  const revision = json.items.find(({ id }) => id === person)?.revision;
  return nines.send('PATCH', `/api/people/${person}`, { revision, ...what }, admin);
}

test('after a session was ended in any way the next action leads to the sign-in and back, and one who is disabled no further', async () => {
  let password = PASSWORD;
  for (const [how, end, next] of ENDINGS) {
    const { page } = await openPage(browser, nines.base);
    await page.goto('/login?next=%2Fsettings');
    await signIn(page, 'ben', password);
    await page.waitForURL(isSettings);
    const ended = await end();
    assert.ok(ended.status < 300, `${how}: ${ended.status} ${ended.text}`);
    password = next;
    await page.goto(STATE);
    await page.waitForURL(isSignIn);
    await signIn(page, 'ben', password);
    await page.waitForURL(isBack);
    await page.context().close();
  }
  const { page } = await openPage(browser, nines.base);
  await page.goto(`/login?next=${encodeURIComponent(STATE)}`);
  await signIn(page, 'ben', password);
  await page.waitForURL(isBack);
  const disabled = await change({ disabled: true });
  assert.ok(disabled.status < 300, disabled.text);
  await page.waitForURL(isSignIn);
  await signIn(page, 'ben', password);
  await page.getByRole('alert').waitFor();
  assert.match(page.url(), /\/login/);
  await page.context().close();
});

test('an address to go on to that leads elsewhere leads to the first page', async () => {
  for (const next of ['//attacker.test/', 'https://attacker.test/', '/\\attacker.test', 'javascript:alert(1)', '/.//attacker.test']) {
    const { page } = await openPage(browser, nines.base);
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await signIn(page, 'ana');
    await page.waitForURL((url) => url.href === `${nines.base}/`);
    await page.context().close();
  }
});

const PAGES = ['/settings', '/settings/account', '/settings/people', '/settings/audit', '/settings/configuration'] as const;

test('the pages of settings have no serious fault of accessibility in light, in dark and on a phone', async () => {
  for (const view of [{}, { theme: 'dark' }, { width: devices['iPhone 13'].viewport.width }] as const) {
    const { page, complaints } = await openPage(browser, nines.base, view);
    await page.goto('/login?next=%2Fsettings');
    assert.deepEqual(await seriousFaults(page), [], 'the sign-in');
    await signIn(page, 'ana');
    await page.waitForURL(isSettings);
    for (const path of PAGES) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.locator('.loading').first().waitFor({ state: 'detached' });
      assert.deepEqual(await seriousFaults(page), [], `${path} ${JSON.stringify(view)}`);
      const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(beyond <= 0, `${path} is ${beyond} pixels too wide, ${JSON.stringify(view)}`);
    }
    assert.deepEqual(complaints, [], JSON.stringify(view));
    await page.context().close();
  }
});
