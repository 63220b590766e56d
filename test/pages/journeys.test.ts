/**
 * The journeys of the people who use the product, each from its first page to its end, as one would walk it: somebody new, an operator at
 * night, an executive, an editor of dashboards. One server, whose only configuration is where alerts go; each journey stands on what the
 * one before left. No browser may complain on the way.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
channels: [{ id: desk, kind: webhook, url: '${url}' }, { id: pager, kind: log }]
routing: { default: [desk] }
escalation: { contacts: [[{ channel: desk }], [{ channel: pager }]], severities: { emergency: critical } }
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
  const made = await send('POST', '/api/services', { id: 'till', name: 'Till', tier: 2, checks });
  assert.equal(made.status, 201, made.text);
  await poll(
    'the till to be up',
    async () => (await nines.get<{ state: string }>('/api/services/till', { cookie: cookie() })).json.state === 'up',
  );
  const promise = {
    id: 'till-availability',
    service: 'till',
    indicator: { kind: 'availability' },
    target: '99.9%',
    window: { rolling: '1h' },
  };
  assert.equal((await send('POST', '/api/slas', promise)).status, 201);
  await target.stop();
  const row = inbox(page).getByRole('listitem').filter({ hasText: 'Till is down' });
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
  await page.getByRole('dialog', { name: 'Escalate 1 alert' }).getByRole('button', { name: /now$/ }).press('Enter');
  await page.getByText('1 alert escalated.').waitFor();
  await poll('the next level to hear of it', async () => {
    const { json } = await nines.get<{ items: { channel: string; status: string }[] }>('/api/notifications', { cookie: cookie() });
    return json.items.some(({ channel, status }) => channel === 'pager' && status === 'delivered');
  });
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

test('an executive: begins with what was kept and what not, and comes from the figure to the statement, to what was seen, and to paper', async () => {
  const made = await send('POST', '/api/people', { name: 'Eva', role: 'executive' });
  assert.equal(made.status, 201, made.text);
  const verdicts = async (): Promise<readonly string[]> =>
    (await nines.get<{ items: { status: string }[] }>('/api/slas', { cookie: cookie() })).json.items.map(({ status }) => status);
  await poll('both contracts to be judged', async () => {
    const all = await verdicts();
    return all.length === 2 && !all.includes('unknown') && all.includes('breached');
  });
  const { page, complaints } = await openPage(browser, nines.base);
  const link = new URL((made.json as { link: string }).link, nines.base);
  await page.goto(`${link.pathname}${link.hash}`);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Set the password and sign in' }).click();
  await page.waitForURL('**/dashboards/executive');
  const kept = (await verdicts()).filter((status) => status === 'met' || status === 'at_risk').length;
  await page.getByRole('region', { name: 'Kept of what was promised' }).getByText(`${kept} of 2 kept`).waitFor();
  assert.deepEqual(await page.locator('.panel-error').allTextContents(), []);

  await page.getByRole('region', { name: 'Contracts' }).getByRole('link', { name: 'till-availability' }).click();
  await page.waitForURL('**/slas/till-availability');
  await page.getByRole('navigation', { name: 'Pages of this SLA' }).getByRole('link', { name: 'Statements' }).click();
  await page.getByRole('button', { name: 'Look at the statement' }).click();
  await page.getByText('Statement: provisional, the period is not over.').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'PDF', exact: true }).click();
  assert.equal(
    readFileSync(await (await download).path())
      .subarray(0, 5)
      .toString(),
    '%PDF-',
  );
  await page.getByRole('region', { name: 'Outages' }).getByRole('link').first().click();
  await page.waitForURL(/\/slas\/till-availability\?.*at=\d+/);
  const evidence = page.getByRole('region', { name: 'Evidence of the chosen interval' });
  await evidence.getByText('counts as bad').waitFor();
  await evidence.getByText('till-http').first().waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an editor: from Explore to a dashboard, shaped, kept through a reload and a quarrel, taken back, to Grafana and back, and shown to strangers', async () => {
  const { page, complaints } = await asAna();
  await page.goto('/explore?q=shop_orders_total');
  await page.getByRole('button', { name: 'Add to a dashboard' }).click();
  await page.getByRole('textbox', { name: 'Its title' }).fill('Night desk');
  await page.getByRole('textbox', { name: 'Title of the panel' }).fill('Orders');
  await page.getByRole('button', { name: 'Add the panel' }).click();
  await page.getByRole('link', { name: 'Open it' }).click();
  await page.waitForURL('**/dashboards/night-desk');
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Layout').selectOption('custom');
  const cell = page.locator('.dash-cell:has([data-panel="orders"])');
  const place = (): Promise<string> =>
    cell.evaluate((one) => ['--x', '--y', '--w', '--h'].map((name) => one.style.getPropertyValue(name)).join(' '));
  await cell.waitFor();
  const first = await place();
  const drag = async (handle: string, down: number): Promise<void> => {
    const box = (await cell.getByTitle(handle).boundingBox()) ?? assert.fail(handle);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y + down, { steps: 4 });
    await page.mouse.up();
  };
  await drag('Drag to size', 96);
  const sized = await place();
  assert.notEqual(sized, first);
  await drag('Drag to move', 144);
  assert.notEqual(await place(), sized);
  const moved = await place();
  await page.getByRole('button', { name: 'Narrower: Orders' }).press('Enter');
  assert.notEqual(await place(), moved);
  await page.getByRole('button', { name: 'Variables (0)' }).press('Enter');
  const variables = page.getByRole('region', { name: 'Variables' });
  await variables.getByRole('button', { name: 'Add a variable' }).press('Enter');
  await variables.getByLabel('Offers').selectOption('list');
  await variables.getByText('2 values: production, staging').waitFor();
  await page.getByRole('button', { name: 'Add a section' }).press('Enter');
  await page.getByLabel('Name of section 2').fill('Later');
  const shaped = await place();

  type Kept = { readonly revision: number; readonly spec: Record<string, unknown> };
  const path = '/api/dashboards/night-desk';
  const kept = async (): Promise<Kept> => (await nines.get<Kept>(path, { cookie: cookie() })).json;
  await poll('the draft to be kept', async () => {
    const { json } = await nines.get<{ draft: { spec: unknown } | null }>(`${path}/draft`, { cookie: cookie() });
    return JSON.stringify(json.draft?.spec ?? null).includes('"Later"');
  });
  await page.reload();
  await page.getByRole('button', { name: 'Go on with them' }).press('Enter');
  await poll('the draft to be back', async () => (await cell.count()) === 1 && (await place()) === shaped);
  const { revision, spec } = await kept();
  const other = await send('PUT', `${path}?revision=${revision}`, { ...spec, description: 'changed by another' });
  assert.equal(other.status, 200, other.text);
  await page.getByRole('button', { name: 'Save …' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Save the dashboard' });
  await dialog.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await dialog.getByText('changed by another').first().waitFor();
  await dialog.getByRole('button', { name: 'Save mine' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await kept()).revision, 3);
  await page.getByRole('button', { name: 'Versions' }).click();
  await page.getByRole('button', { name: 'Restore 2' }).click();
  await poll('the version of the other to be back', async () => (await kept()).spec['description'] === 'changed by another');

  await page.goto('/dashboards/night-desk');
  await page.getByRole('button', { name: 'Share' }).click();
  const share = page.getByRole('dialog', { name: 'Share Night desk' });
  const download = page.waitForEvent('download');
  await share.getByRole('link', { name: 'Download for Grafana' }).click();
  const file = readFileSync(await (await download).path(), 'utf8');
  await share.getByRole('button', { name: 'Make a link' }).click();
  const frame = (await share.getByText('<iframe').first().textContent()) ?? '';
  const address = new URL(/src="([^"]+)"/.exec(frame)?.[1] ?? assert.fail(frame)).pathname;
  const stranger = await openPage(browser, nines.base);
  await stranger.page.goto(address);
  await stranger.page.getByRole('heading', { level: 1, name: 'Night desk' }).waitFor();
  await share.getByRole('button', { name: /^Revoke the link/ }).click();
  await share.getByText('Revoked').waitFor();
  assert.deepEqual(stranger.complaints, []);
  await stranger.page.reload();
  await stranger.page.getByRole('heading', { level: 1, name: 'Night desk' }).waitFor({ state: 'detached' });

  await page.goto('/dashboards');
  await page.getByRole('button', { name: 'Import from Grafana' }).click();
  await page.getByLabel('Or its text').fill(file);
  await page.getByRole('button', { name: 'See what it becomes' }).click();
  await page.getByText(/1 of 1 panels come along.*Nothing is lost/).waitFor();
  await page.getByLabel('Id', { exact: true }).fill('night-desk-again');
  await page.getByRole('button', { name: 'Import it' }).click();
  await page.waitForURL('**/dashboards/night-desk-again');
  await page.getByRole('region', { name: 'Orders' }).waitFor();
  const again = (await nines.get<Kept>('/api/dashboards/night-desk-again', { cookie: cookie() })).json.spec;
  assert.deepEqual({ ...again, id: 'night-desk' }, (await kept()).spec);
  // The quarrel is an answer of 409, which browsers note.
  assert.deepEqual(
    complaints.filter((one) => !one.includes('409')),
    [],
  );
  await Promise.all([page.context().close(), stranger.page.context().close()]);
});
