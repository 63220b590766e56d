/**
 * Attack: markup, scripts and addresses of scripts in every text that the product takes, read by somebody with all rights. Every page,
 * document, picture, feed and mail is opened in Chromium; none may run, ask or load anything, and all must show what was written.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PAGE_PATHS } from '@nines/server/platform/http/static.ts';
import { FIRST_PAYLOAD, hostileText, htmlOf } from '../harness/hostile-texts.ts';
import { type HostileWorld, startHostileWorld } from '../harness/hostile-world.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage } from './browser.ts';

/** Everything on the page that text can only have become by being taken for markup. */
const FINDINGS = `(() => {
  const found = [];
  if (window.__xss !== undefined) found.push('a script ran');
  for (const element of document.querySelectorAll('*')) for (const { name, value } of element.attributes) {
    if (/^on/i.test(name)) found.push('handler ' + name + ' of ' + element.tagName);
    if (/^(href|src|action|formaction|xlink:href|srcdoc)$/i.test(name) && /^\\s*(javascript|vbscript):|^\\s*data:text|attacker/i.test(value))
      found.push(element.tagName + ' ' + name + '=' + value.slice(0, 80));
  }
  for (const one of document.querySelectorAll('iframe, object, embed, base, meta[http-equiv="refresh" i]')) found.push(one.outerHTML.slice(0, 80));
  const beyond = document.documentElement.scrollWidth - innerWidth;
  if (beyond > 0) found.push(beyond + ' pixels too wide: ' + [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.parentElement.closest('.table-scroll')).slice(-6).map((one) => one.tagName + '.' + one.className).join(', '));
  return found;
})()`;

/** Where hostile words stand in addresses: in the place of ids, and in every field of a search. */
const FIELDS =
  'q status severity service source problem assigned label group alert silence new check at downtime sla period zone customer job state target rule exclusion day schedule view channel policy next refused labels actor action from to range vars panel panels edit side browse last refresh tab unit tag metric'.split(
    ' ',
  );
const ADDRESSED = new URLSearchParams(Object.fromEntries(FIELDS.map((name) => [name, hostileText(120)]))).toString();

type Crawl = { readonly world: HostileWorld; readonly browser: Browser; readonly faults: string[]; readonly shown: Set<string> };

test('hostile texts stay texts on every page, in every document and in mails', async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const world = await startHostileWorld(t);
  const crawl: Crawl = { world, browser, faults: [], shown: new Set() };
  await Promise.all([
    pages(crawl, { theme: 'light', width: 1280 }, pathsOf(world)),
    pages(crawl, { theme: 'dark', width: 390 }, pathsOf(world)),
    addressed(crawl),
  ]);
  await documents(crawl);
  await mails(crawl);
  assert.deepEqual(crawl.faults, []);
  for (const path of [
    '/',
    '/services',
    '/services/:id',
    '/slas',
    '/checks',
    '/alerts-dashboard',
    '/incidents',
    '/silences',
    '/targets',
    '/rules',
    '/dashboards',
    '/dashboards/:id',
    '/explore',
  ])
    assert.ok(crawl.shown.has(path), `${path} shows what was written as it was written`);
});

const IDS: Readonly<Record<string, string>> = { '/services/:id': 'shop', '/checks/:id': 'shop-http', '/dashboards/:id': 'hostile' };
const idOf = ({ made }: HostileWorld, pattern: string): string =>
  IDS[pattern] ??
  (pattern.startsWith('/slas')
    ? 'shop-sla'
    : made.get(pattern.startsWith('/incidents') ? '/api/incidents' : '/api/slas/{id}/statements')) ??
  '';

/** Every page by its pattern, with what is open on it from the address. */
function pathsOf(world: HostileWorld): readonly (readonly [pattern: string, path: string])[] {
  const { made } = world;
  const open: Readonly<Record<string, string>> = {
    '/services/:id': `?downtime=${made.get('/api/downtime')}&at=${Date.now() - 1_000}`,
    '/checks': '?check=shop-http',
    '/alerts-dashboard': `?alert=${made.get('/api/alerts')}`,
    '/silences': `?silence=${made.get('/api/silences')}`,
    '/slas/:id/exclusions': `?exclusion=${made.get('/api/slas/{id}/exclusions')}`,
    '/on-call': '?schedule=rota',
    '/rules': '?rule=0',
    '/settings/channels': '?channel=hostile',
    '/escalation': '?policy=ladder',
  };
  const plain = PAGE_PATHS.map((pattern) => [pattern, `${pattern.replace(':id', idOf(world, pattern))}${open[pattern] ?? ''}`] as const);
  return [
    ...plain,
    ['/alerts-dashboard', '/alerts-dashboard?view=statistics'],
    ['/alerts-dashboard', '/alerts-dashboard?group=label:hostile'],
    ['/explore', '/explore?q=hostile_value'],
    ['/explore', `/explore?panels=${encodeURIComponent(JSON.stringify([{ q: 'hostile_value', tab: 'table' }]))}`],
  ];
}

async function newPage({ world: { nines, cookie }, browser, faults }: Crawl, view: { theme?: 'light' | 'dark'; width?: number }) {
  const opened = await openPage(browser, nines.base, view);
  const context: BrowserContext = opened.page.context();
  const at = cookie.indexOf('=');
  await context.addCookies([{ name: cookie.slice(0, at), value: cookie.slice(at + 1), url: nines.base }]);
  opened.page.on('dialog', async (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  opened.page.on('request', (request) => {
    if (!request.url().startsWith(nines.base) && !/^(?:data|blob|about):/.test(request.url())) faults.push(`asked for ${request.url()}`);
  });
  return opened;
}

async function settle(page: Page): Promise<void> {
  await page.locator('h1, main p').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
}

async function look(crawl: Crawl, page: Page, where: string): Promise<void> {
  for (const found of (await page.evaluate(FINDINGS)) as string[]) crawl.faults.push(`${where}: ${found}`);
}

async function pages(crawl: Crawl, view: { theme: 'light' | 'dark'; width: number }, paths: ReturnType<typeof pathsOf>): Promise<void> {
  const { page, complaints } = await newPage(crawl, view);
  for (const [pattern, path] of paths) {
    const where = `${path} (${view.theme}, ${view.width})`;
    await page.goto(path);
    await settle(page);
    if (view.width > 1000) await openEverything(page);
    await look(crawl, page, where);
    const text = (await page.evaluate('document.body.innerText')) as string;
    if (text.includes(FIRST_PAYLOAD)) crawl.shown.add(pattern);
    crawl.faults.push(...complaints.splice(0).map((line) => `${where}: ${line}`));
  }
  await page.context().close();
}

/** Tabs, and what folds out. */
async function openEverything(page: Page): Promise<void> {
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
  const tabs = page.locator('main [role=tab], main button[aria-expanded=false]:not([aria-haspopup=dialog], .dash-menu)');
  for (let at = (await tabs.count()) - 1; at >= 0; at--) {
    const tab = tabs.nth(at);
    if (await tab.isVisible().catch(() => false)) await tab.click({ timeout: 2_000 }).catch(() => undefined);
  }
  await settle(page);
}

/** Pages whose address is the attack. What is not found is said so, in words. */
async function addressed(crawl: Crawl): Promise<void> {
  const { page, complaints } = await newPage(crawl, { width: 390 });
  for (const pattern of PAGE_PATHS) {
    const path = `${pattern.replace(':id', encodeURIComponent(hostileText(60)))}?${ADDRESSED}`;
    await page.goto(path);
    await settle(page);
    await look(crawl, page, `${pattern} with hostile addresses`);
    const real = complaints.splice(0).filter((line) => !/Failed to load resource: .* 4\d\d/.test(line));
    crawl.faults.push(...real.map((line) => `${pattern} with hostile addresses: ${line}`));
  }
  await page.context().close();
}

/** What is no page of the application: public pages, statements, pictures and feeds. */
async function documents(crawl: Crawl): Promise<void> {
  const { made, nines, described, cookie } = crawl.world;
  const statement = encodeURIComponent(made.get('/api/slas/{id}/statements') ?? '');
  const hostile = encodeURIComponent(hostileText(60));
  const paths = [
    '/status',
    '/status/public',
    '/status/second',
    '/status/public/feed.rss',
    '/status/public/feed.atom',
    '/status/public/badge.svg',
    '/status/public/badge/shop.svg',
    `/status/public/confirm?token=${hostile}`,
    `/status/public/unsubscribe?token=${hostile}`,
    `/status/${hostile}`,
    `/nothing/${hostile}`,
    `/api/statements/${statement}?format=html`,
    '/api/slas/shop-sla/report?format=html',
    '/api/reports/contracts?format=html&service=shop&template=letter',
  ];
  for (const width of [1280, 390]) {
    const { page, complaints } = await newPage(crawl, { width, theme: width === 390 ? 'dark' : 'light' });
    for (const path of paths) {
      await page.goto(path);
      const found = (await page.evaluate(FINDINGS)) as string[];
      // A feed, a picture and JSON have the width that the browser gives them.
      const meant = /\.(?:svg|rss|atom)|^\/nothing/.test(path) ? found.filter((line) => !line.includes('too wide')) : found;
      crawl.faults.push(...meant.map((line) => `${path} (${width}): ${line}`));
      const real = complaints.splice(0).filter((line) => !/Failed to load resource: .* 4\d\d/.test(line));
      crawl.faults.push(...real.map((line) => `${path} (${width}): ${line}`));
    }
    await page.context().close();
  }
  // Whatever the API answers as a document that browsers open has no markup of others in it.
  for (const [path, operations] of Object.entries(described.paths)) {
    if (operations['get'] === undefined || path === '/api/stream' || path.includes('/sso/')) continue;
    const answer = await nines.get(path.replace(/\{\w+\}/g, hostile) + `?q=${hostile}&from=${hostile}`, { cookie });
    assert.ok(answer.status < 500, `${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
    const opens = /html|xml|svg/.test(answer.headers.get('content-type') ?? '');
    if (opens && answer.text.includes(FIRST_PAYLOAD)) crawl.faults.push(`${path} answers with markup of others`);
  }
}

/** Mails have no policy that would hold a script back: here the browser would run what is left in. */
async function mails(crawl: Crawl): Promise<void> {
  const told = await poll('the mail of the alerts', () => crawl.world.mails.map(htmlOf).filter((html) => html.includes('onerror'))[0]);
  const { page, complaints } = await newPage(crawl, { width: 390 });
  for (const html of [told, ...crawl.world.mails.map(htmlOf).filter((one) => one !== '')].slice(0, 6)) {
    await page.setContent(html);
    crawl.faults.push(...((await page.evaluate(FINDINGS)) as string[]).map((line) => `a mail: ${line}`));
  }
  await page.setContent(told);
  const text = (await page.evaluate('document.body.innerText')) as string;
  assert.ok(text.includes(FIRST_PAYLOAD), `the mail shows what was written: ${text.slice(0, 500)}`);
  crawl.faults.push(...complaints.map((line) => `a mail: ${line}`));
  await page.context().close();
}
