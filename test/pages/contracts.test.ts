import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const config = (url: string): string => `
services:
  - id: shop
    name: Web shop
    checks:
      - { id: shop-http, kind: http, url: '${url}/health', interval: 2s, timeout: 2s }
slas:
  - id: shop-availability
    name: Shop availability
    service: shop
    indicator: { kind: availability }
    target: 99.9%
    window: { rolling: 1h }
    customers: [{ id: acme, name: ACME Ltd, fee: '1000.00' }]
    credits: { currency: EUR, tiers: [{ below: 99.9%, credit: 10% }, { below: 20%, credit: 50% }] }
  - id: shop-speed
    service: shop
    indicator: { kind: response_time, query: 'probe_duration_seconds{service="shop"}', below: 100ms, slice: 10s }
    target: 90%
    window: { calendar: month, zone: Europe/Berlin }
    interval: 10s
`;
const PASSWORD = 'correct horse battery';
/** Text that must stay text wherever it is shown. */
const HOSTILE = '<img src=x onerror="document.title=1"> & "their" line';
type Downtime = { readonly id: string; readonly from_at_ms: number; readonly to_at_ms: number };

let browser: Browser;
let target: Target;
let nines: Nines;
let bob: Record<string, string>;
let ann: Awaited<ReturnType<BrowserContext['storageState']>>;
let outage: Downtime;
let beganMs: number;

/** Ann signs in at the pages, Bob speaks through the API: two people, as four eyes need. */
before(async () => {
  [browser, target] = await Promise.all([launch(), startTarget()]);
  nines = await startNines({ config: config(target.url), args: [] });
  const token = /setup#token=(\S+)/.exec(nines.output())?.[1];
  await nines.send('POST', '/api/setup', { token, name: 'ann', password: PASSWORD });
  const { page } = await openPage(browser, nines.base);
  await page.goto('/login');
  await page.getByLabel('Name').fill('ann');
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('ann, administrator').waitFor();
  ann = await page.context().storageState();
  const made = await page.evaluate<{ token: string }>(
    `fetch('/api/tokens', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"bob","role":"operator"}' }).then((answer) => answer.json())`,
  );
  bob = { authorization: `Bearer ${made.token}` };
  await page.context().close();
  await shopIs('up');
  beganMs = Date.now();
  await target.stop();
  await shopIs('down');
  await target.start();
  await shopIs('up');
  outage = await poll('the outage to be over', async () => {
    const { json } = await nines.get<{ items: Downtime[] }>('/api/downtime?service=shop', bob);
    return json.items.findLast(({ to_at_ms }) => to_at_ms !== null);
  });
});
after(async () => {
  await browser.close();
  await nines[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

const shopIs = (wanted: string) =>
  poll(`the shop to be ${wanted}`, async () => (await nines.get<{ state: string }>('/api/services/shop', bob)).json.state === wanted);

/** A page on which Ann is signed in. */
async function asAnn(view: Parameters<typeof openPage>[2] = {}) {
  const opened = await openPage(browser, nines.base, view);
  await opened.page.context().addCookies(ann.cookies);
  return opened;
}

const seconds = (atMs: number): string => String(atMs / 1000);

/** The statement about the outage for ACME; issued again it is the one that stands. */
async function issueStatement(): Promise<string> {
  const period = { from: seconds(beganMs), to: seconds(outage.to_at_ms + 1), customer: 'acme' };
  const issued = await nines.send<{ id: string }>('POST', '/api/slas/shop-availability/statements', period, bob);
  assert.equal(issued.status, 201, issued.text);
  return issued.json.id;
}

const evidenceOf = (page: Page) => page.getByRole('region', { name: 'Evidence of the chosen interval' });

test('from the figure to the samples of a check are three steps, and each has an address', async () => {
  const { page, complaints } = await asAnn();
  await page.goto('/slas/shop-availability');
  await page.getByText('Young: watched for').waitFor();
  await page.getByRole('img', { name: /^Error budget left, from 3 s 600 ms/ }).waitFor();
  const day = page.getByRole('table', { name: /^Days/ }).getByRole('link', { name: /bad for/ });
  await day.first().click();
  await page.waitForURL(/day=\d{4}-\d\d-\d\d/);
  await page.getByRole('heading', { name: /^Time line of \d{4}-\d\d-\d\d$/ }).waitFor();
  await page
    .getByRole('table', { name: 'Stretches that were bad' })
    .getByRole('row', { name: /Down counts as bad/ })
    .last()
    .getByRole('link')
    .click();
  await page.waitForURL(/at=\d+/);
  await evidenceOf(page).getByText('counts as bad').waitFor();
  await evidenceOf(page).getByText('As it was recorded', { exact: false }).or(evidenceOf(page).getByText('revision')).first().waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  const address = page.url();
  await evidenceOf(page).getByRole('table').getByRole('link').click();
  await page.waitForURL(/\/checks\/shop-http\?.*at=\d+/);
  const attempts = page.getByRole('table', { name: /^Attempts of shop-http around/ });
  await attempts.getByRole('row', { name: /Down/ }).first().waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.goto(address);
  await evidenceOf(page).getByText('shop-http').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an SLA says how it is counted, and of a prediction how good it was or that it is not tested', async () => {
  const { page } = await asAnn();
  await page.goto('/slas/shop-availability');
  const terms = page.getByRole('region', { name: 'How this is counted' });
  await terms.getByText('is not counted, neither good nor bad').waitFor();
  await terms.getByText(/10 % below 99.9 %, 50 % below 20 % of the fee in EUR/).waitFor();
  const prediction = page.getByRole('region', { name: 'Prediction' });
  await prediction.getByText(/Brier score|Not tested yet|No prediction yet/).waitFor();
  await page.getByRole('table', { name: /^Days/ }).getByRole('link').last().focus();
  await page.keyboard.press('ArrowUp');
  assert.match(await page.evaluate<string>('document.activeElement.ariaLabel'), /not yet monitored/);
  await page.context().close();
});

test('one person asks for an exclusion, sees what it changes, and another one approves it', async () => {
  const { page, complaints } = await asAnn();
  await page.goto('/slas/shop-availability/exclusions');
  await page.getByText('Nothing was taken out of this contract.').waitFor();
  const made = await nines.send<{ id: string }>(
    'POST',
    '/api/slas/shop-availability/exclusions',
    { from: seconds(outage.from_at_ms), to: seconds(outage.to_at_ms), reason: 'third_party', note: HOSTILE },
    bob,
  );
  assert.equal(made.status, 201, made.text);
  await page.getByRole('table', { name: 'Exclusions' }).getByRole('link').click();
  const drawer = page.getByRole('dialog', { name: 'Exclusion' });
  await drawer.getByText(HOSTILE).first().waitFor();
  const owed = drawer.getByRole('row', { name: /Owed to ACME Ltd/ });
  await owed.getByText('100.00 EUR').first().waitFor();
  assert.deepEqual(await owed.getByRole('cell').allInnerTexts(), ['100.00 EUR', '0.00 EUR'], 'the money is said before the decision');
  assert.deepEqual(await seriousFaults(page), []);
  await drawer.getByLabel('Note').fill('confirmed by their status page');
  await drawer.getByRole('button', { name: 'Approve' }).click();
  await drawer.getByText('Approved by ann').waitFor();
  await drawer.getByRole('button', { name: 'Revoke' }).waitFor();
  await page.goto(`/slas/shop-availability?from=${outage.from_at_ms - 5_000}&to=${outage.to_at_ms + 5_000}&at=${outage.from_at_ms + 1}`);
  await evidenceOf(page).getByText('not counted: an agreed exclusion').waitFor();
  await evidenceOf(page).getByRole('link', { name: 'Third party' }).click();
  await page.getByRole('dialog', { name: 'Exclusion' }).getByText('Asked for by bob').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('who asked for an exclusion that changes money cannot approve it, and may withdraw it', async () => {
  const { page, complaints } = await asAnn();
  await page.goto(`/slas/shop-availability/exclusions?ask=1&from=${outage.from_at_ms}&to=${outage.to_at_ms}`);
  const form = page.getByRole('dialog', { name: 'Ask for an exclusion' });
  await form.getByLabel('Reason').selectOption('force_majeure');
  await form.getByLabel('Note').fill('flood');
  await form.getByText(/What it changes in/).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await form.getByRole('button', { name: 'Ask for this exclusion' }).click();
  const drawer = page.getByRole('dialog', { name: 'Exclusion' });
  await drawer.getByText('somebody else approves it').waitFor();
  assert.equal(await drawer.getByRole('button', { name: 'Approve' }).count(), 0);
  await drawer.getByRole('button', { name: 'Withdraw' }).click();
  await drawer.getByText('Withdrawn by ann').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('an outage is annotated, its revisions stay, and the last one is taken back', async () => {
  const { page, complaints } = await asAnn();
  await page.goto('/services/shop');
  await page.getByRole('table', { name: 'Downtimes' }).getByRole('button', { name: 'Annotate' }).last().click();
  await page.waitForURL(/downtime=/);
  const drawer = page.getByRole('dialog', { name: 'Downtime' });
  await drawer.getByLabel('Reason').selectOption('network_issue');
  await drawer.getByLabel('Note').fill(HOSTILE);
  await drawer.getByRole('button', { name: 'Save' }).click();
  const revisions = drawer.getByRole('list', { name: 'Revisions of the downtime' });
  await revisions.getByText('2: Network issue by ann').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await drawer.getByRole('button', { name: 'Undo the last one' }).click();
  await revisions.getByText('3: Unplanned outage by ann').waitFor();
  await revisions.getByText('as recorded').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a statement names its key and how to verify it, and a restatement stands beside what it replaced', async () => {
  await issueStatement();
  const edited = await nines.send('PATCH', `/api/downtime/${outage.id}`, { reason: 'hardware_failure', note: HOSTILE }, bob);
  assert.equal(edited.status, 200, edited.text);
  const { page, complaints } = await asAnn();
  await page.goto('/slas/shop-availability/statements');
  await page.getByRole('table', { name: 'Issued statements' }).getByRole('link', { name: '2, beside 1' }).click();
  const diff = page.getByRole('region', { name: 'What revision 2 changed' });
  await diff.getByRole('columnheader', { name: 'Revision 1' }).waitFor();
  await diff.getByText(/fields differ/).click();
  await diff.getByText('hardware_failure').first().waitFor();
  const signature = page.getByRole('region', { name: 'Signature' });
  await signature.getByText('its present key').waitFor();
  await signature.getByText(/nines sla verify .* --key /).waitFor();
  await page
    .getByRole('region', { name: 'Excluded time' })
    .first()
    .getByText(/^ann|No time was taken out/)
    .first()
    .waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  for (const [form, kind] of Object.entries({ HTML: 'text/html', PDF: 'application/pdf', CSV: 'text/csv', JSON: 'application/json' })) {
    const href = await page.getByRole('link', { name: form, exact: true }).getAttribute('href');
    assert.match((await nines.get(href ?? '', bob)).headers.get('content-type') ?? '', new RegExp(`^${kind}`));
  }
  await page.getByRole('table', { name: 'Outages' }).getByRole('link').first().click();
  await evidenceOf(page).getByText('shop-http').waitFor();
  await page.goto('/statements/01a1ffa7-0000-7000-8000-000000000000');
  await page.getByRole('alert').getByText('There is no statement').waitFor();
  assert.deepEqual(
    complaints.filter((line) => !line.includes('404')),
    [],
  );
  await page.context().close();
});

test('what if is asked in a form, answered beside what is, and kept in the address', async () => {
  const { page, complaints } = await asAnn();
  await page.goto('/slas/shop-availability/what-if?keep=0');
  await page.getByRole('row', { name: 'Target 99.9 % 99.9 %' }).waitFor();
  await page.getByLabel('Target in percent').fill('1');
  await page.getByLabel('Unknown time').selectOption('up');
  await page.getByRole('button', { name: 'Reckon' }).click();
  await page.waitForURL(/target=(%22)?1/);
  const table = page.getByRole('table', { name: 'As it is beside What if' });
  await table.getByRole('row', { name: 'Target 99.9 % 1 %' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.reload();
  await table.getByRole('row', { name: 'Target 99.9 % 1 %' }).waitFor();
  assert.equal(await page.getByLabel('Target in percent').inputValue(), '1');
  await page.goto('/slas/shop-availability/what-if?target=101');
  await page.getByRole('alert').waitFor();
  assert.ok(
    complaints.every((line) => line.includes('400')),
    'only the refusal of 101 % was heard',
  );
  await page.context().close();
});

test('reports: each contract and several together in every form, kept in an archive, and how to have them sent', async () => {
  const { page, complaints } = await asAnn();
  await page.goto(`/reports?from=${beganMs}&to=${outage.to_at_ms + 1}`);
  const row = page.getByRole('table', { name: 'Reports by contract' }).getByRole('row', { name: /Shop availability/ });
  const pdf = await row.getByRole('link', { name: 'PDF' }).getAttribute('href');
  assert.equal((await nines.get(pdf ?? '', bob)).headers.get('content-type'), 'application/pdf');
  const together = page.getByRole('region', { name: 'One report' });
  await together.getByText(/^2 contracts: /).waitFor();
  await row.getByRole('checkbox').check();
  await page.getByLabel('Customer').selectOption('acme');
  await page.waitForURL(/sla=shop-availability.*customer=acme|customer=acme.*sla=shop-availability/);
  await together.getByText(/^1 contract: /).waitFor();
  for (const [form, kind] of Object.entries({ HTML: 'text/html', Markdown: 'text/markdown', CSV: 'text/csv' })) {
    const href = await together.getByRole('link', { name: form, exact: true }).getAttribute('href');
    const answer = await nines.get(href ?? '', bob);
    assert.match(answer.headers.get('content-type') ?? '', new RegExp(`^${kind}`));
    assert.match(answer.text, /shop-availability|Shop availability/, form);
  }
  await together.getByRole('button', { name: 'Issue it into the archive' }).click();
  const kept = page.getByRole('table', { name: 'Issued reports' }).getByRole('link', { name: 'JSON' });
  assert.equal((await nines.get((await kept.getAttribute('href')) ?? '', bob)).status, 200);
  await page.getByText('No statement is sent by itself.').waitFor();
  await page.getByRole('table', { name: 'Issued statements' }).getByText('acme').first().waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('searchbox', { name: 'Filter contracts' }).fill('nothing like it');
  await page.getByText('No contract matches').waitFor();
  await page.waitForURL(/q=nothing/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the pages of contracts hold on a phone and in the dark', async () => {
  const { page, complaints } = await asAnn({ theme: 'dark', width: 390 });
  const statement = await issueStatement();
  const pages = {
    '/slas/shop-availability': 'Time line',
    '/slas/shop-speed': 'How this is counted',
    '/slas/shop-availability/exclusions': 'Shop availability',
    '/slas/shop-availability/what-if?target=50': 'Result',
    '/slas/shop-availability/statements': 'Issued',
    [`/statements/${statement}?compare=1`]: 'Signature',
    '/reports': 'Archive of statements',
  };
  for (const [path, heading] of Object.entries(pages)) {
    await page.goto(path);
    await page.getByRole('heading', { name: heading }).first().waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(beyond <= 0, `${path} is ${beyond} pixels too wide`);
    assert.deepEqual(await seriousFaults(page), [], path);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});
