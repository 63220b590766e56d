/**
 * The journeys of the people who use the product, each from its first page to its end, as one would walk it: somebody new, an operator at
 * night, an executive, an editor of dashboards. One server, whose only configuration is where alerts go; each journey stands on what the
 * one before left. No browser may complain on the way.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Answer, type Nines, startNines } from '../harness/nines.ts';
import { type Receiver, type Target, startReceiver, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';
import { launch, openPage } from './browser.ts';

const PASSWORD = 'correct horse battery staple 9';
const OWN = { 'sec-fetch-site': 'same-origin' };

let browser: Browser;
let target: Target;
let receiver: Receiver;
let nines: Nines;
/** Who is signed in, as the first journey leaves it: Ana, the administrator. */
let ana: Awaited<ReturnType<BrowserContext['storageState']>>;

const configOf = (url: string): string => `
channels: [{ id: desk, kind: webhook, url: '${url}' }]
routing: { default: [desk] }
escalation: { contacts: [[{ channel: desk }], [{ channel: desk }]] }
outbound: { administrator: { allow: [any] } }
`;

before(async () => {
  [browser, target, receiver] = await Promise.all([launch(), startTarget(), startReceiver()]);
  nines = await startNines({ config: configOf(receiver.url), args: [] });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
  await Promise.all([target?.[Symbol.asyncDispose](), receiver?.[Symbol.asyncDispose]()]);
});

const cookie = (): string => ana.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  nines.send(method, path, body, { cookie: cookie(), ...OWN });

test('somebody new: from the printed link to a service, its metrics, a channel, an SLA and a status page, which tick themselves', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto(/http\S+(\/setup#token=\S+)/.exec(nines.output())?.[1] ?? assert.fail(nines.output()));
  await page.getByLabel('Name').fill('Ana');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByRole('heading', { name: 'Getting started' }).waitFor();
  ana = await page.context().storageState();
  const memory = page.locator('.host-card', { hasText: 'Memory' }).locator('.host-figure');
  await memory.filter({ hasText: /\d+\.\d %/ }).waitFor();
  await page.getByText('0 of 5 done').waitFor();

  await page.getByLabel('Addresses, one a line').fill(`Web shop ${target.url}/health`);
  await page.getByRole('button', { name: 'Watch these' }).click();
  await page.getByText('1 of 5 done').waitFor();
  await page.getByRole('link', { name: 'Web shop', exact: true }).waitFor();

  const token = await send('POST', '/api/tokens', { name: 'prometheus', role: 'operator' });
  const written = await nines.send(
    'POST',
    '/api/v1/write',
    new Uint8Array(writeBody([{ labels: { __name__: 'shop_orders_total', queue: 'mails' }, samples: [[Date.now(), 42]] }])),
    { ...WRITE_HEADERS, authorization: `Bearer ${(token.json as { token: string }).token}` },
  );
  assert.ok(written.status < 300, written.text);
  await page.getByText('2 of 5 done').waitFor();
  await page.getByText(/shop_orders_total · remote_write/).waitFor();

  await page.getByRole('button', { name: 'Send a test through desk' }).click();
  await page.getByText('3 of 5 done').waitFor();
  assert.ok(receiver.received.length > 0, 'the test arrived');

  await page.locator('.checklist').getByRole('button', { name: 'Set an SLA' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Set the SLA' }).click();
  await page.waitForURL('**/slas/web-shop-availability');
  await page.getByRole('heading', { name: 'Error budget', exact: true }).waitFor();
  await page.goto('/');
  await page.getByText('4 of 5 done').waitFor();

  await page.locator('.checklist').getByRole('button', { name: 'Make a page' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make a status page' });
  await dialog.getByLabel('Title').fill('Shop status');
  await dialog.getByRole('checkbox', { name: 'Web shop' }).check();
  await dialog.getByRole('button', { name: 'Make the page' }).click();
  await page.getByRole('heading', { name: 'Getting started' }).waitFor({ state: 'detached' });
  const stranger = await openPage(browser, nines.base);
  await stranger.page.goto('/status/shop-status');
  await stranger.page.getByText('Web shop').first().waitFor();
  assert.deepEqual([...complaints, ...stranger.complaints], []);
  await Promise.all([page.context().close(), stranger.page.context().close()]);
});

const inbox = (page: Page) => page.getByRole('list', { name: 'Alerts' });
const fits = async (page: Page): Promise<void> =>
  assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0, page.url());

async function asAna(width?: number) {
  const opened = await openPage(browser, nines.base, width === undefined ? {} : { width, theme: 'dark' });
  await opened.page.context().addCookies(ana.cookies);
  return opened;
}

test('an operator at night, on a phone: the alert comes by itself, why it is down, who is told, the incident, and it is over', async () => {
  const { page, complaints } = await asAna(390);
  await page.goto('/alerts-dashboard');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const checks = [{ id: 'till-http', kind: 'http', url: `${target.url}/till`, interval: '1s', timeout: '1s' }];
  const made = await send('POST', '/api/services', { id: 'till', name: 'Till', tier: 1, checks });
  assert.equal(made.status, 201, made.text);
  await poll(
    'the till to be up',
    async () => (await nines.get<{ state: string }>('/api/services/till', { cookie: cookie() })).json.state === 'up',
  );
  await target.stop();
  const row = inbox(page).getByRole('listitem').filter({ hasText: 'Till' });
  await row.waitFor();
  await fits(page);

  await row.getByRole('button').first().press('Enter');
  const detail = page.getByRole('region', { name: 'Alert', exact: true });
  await detail.getByRole('link', { name: 'Service till' }).press('Enter');
  await page.getByRole('heading', { level: 1, name: /^Till is down since .*connection refused/ }).waitFor();
  const strip = page.getByRole('slider', { name: /Time line of Till/ });
  await poll('the time line to end in the outage', async () => {
    await strip.press('End');
    return ((await strip.getAttribute('aria-valuetext')) ?? '').startsWith('Down');
  });
  await strip.press('Enter');
  await page.getByRole('region', { name: 'Evidence of the chosen interval' }).getByText('till-http').first().waitFor();
  await fits(page);

  await page.goto('/alerts-dashboard');
  await row.waitFor();
  await row.getByRole('button').first().press('Enter');
  await detail.getByRole('heading', { name: 'What happened' }).waitFor();
  await page.keyboard.press('a');
  await page.getByText('1 alert acknowledged.').waitFor();
  await page.keyboard.press('u');
  await page.getByText('Undone: 1 alert acknowledged.').waitFor();
  await page.keyboard.press('e');
  const told = receiver.received.length;
  await page.getByRole('dialog', { name: 'Escalate 1 alert' }).getByRole('button', { name: /now$/ }).press('Enter');
  await page.getByText('1 alert escalated.').waitFor();
  await poll('the next level to hear of it', async () => receiver.received.length > told);
  await page.keyboard.press('s');
  const silence = page.getByRole('dialog', { name: 'Silence what matches' });
  await silence.getByText(/^Would hold back \d+ firing alerts? now\.$/).waitFor();
  await silence.getByLabel('Why').fill('The till is known to be down');
  await silence.getByRole('button', { name: 'Make the silence' }).press('Enter');
  await silence.waitFor({ state: 'detached' });
  await page.keyboard.press('a');
  await page.getByText('1 alert acknowledged.').waitFor();
  await fits(page);

  await detail.getByRole('link', { name: /^INC-\d+ / }).press('Enter');
  await page.waitForURL('**/incidents/*');
  await page.getByLabel('Write into the time line').fill('The port is closed');
  await page.getByRole('button', { name: 'Write down' }).press('Enter');
  const story = page.getByRole('table', { name: 'Time line, oldest first' });
  await story.getByText('The port is closed').waitFor();
  await fits(page);
  await target.start();
  await poll(
    'the till to be up again',
    async () => (await nines.get<{ state: string }>('/api/services/till', { cookie: cookie() })).json.state === 'up',
  );
  await page.getByRole('button', { name: 'Resolved' }).press('Enter');
  await story.getByText(/→ resolved/).waitFor();
  await page.goto('/alerts-dashboard');
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
  await page.context().close();
});
