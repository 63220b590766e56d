import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

/** What a sender or a rule may write: markup, signs that cannot be seen, templates, as much as is taken. */
const HOSTILE = {
  summary: `<img src=x onerror="document.title='taken'"> {{ .Labels.secret }} ${'\u202e'}\u0007 ${'long '.repeat(12_000)}`,
  description: "<script>document.title='taken'</script>\nsecond line",
  runbook_url: 'javascript:document.title="taken"',
};

let browser: Browser;
let nines: Nines;

/** More than the server gives at once. */
const CHECKS = 1_200;
const jobOf = (at: number): string => `job-${String(at).padStart(4, '0')}`;
const services = Array.from({ length: CHECKS / 100 }, (_, service) => ({
  id: `jobs-${service}`,
  name: `Jobs ${service}`,
  checks: Array.from({ length: 100 }, (__, at) => ({ id: jobOf(100 * service + at), kind: 'heartbeat', period: '1h', grace: '1h' })),
}));

before(async () => {
  const config = JSON.stringify({ services });
  [browser, nines] = await Promise.all([launch(), startNines({ config })]);
  const alerts = [
    { labels: { alertname: 'Hostile', severity: 'critical', instance: '<b>web1</b>', service: 'shop' }, annotations: HOSTILE },
    ...['a', 'b', 'c'].map((instance) => ({
      labels: { alertname: 'DiskFull', severity: 'warning', instance, service: 'shop' },
      annotations: { summary: `Disk of ${instance} is full` },
    })),
  ];
  assert.equal((await nines.send('POST', '/api/v2/alerts', alerts)).status, 200);
});
after(async () => {
  await browser.close();
  await nines.stop();
});

const list = (page: Page) => page.getByRole('list', { name: 'Alerts' });
const row = (page: Page, text: string) => list(page).getByRole('listitem').filter({ hasText: text });
const detail = (page: Page) => page.getByRole('region', { name: 'Alert', exact: true });
const statesOf = async (name: string): Promise<readonly string[]> => {
  const { json } = await nines.get<{ items: { state: string; labels: { alertname: string } }[] }>('/api/alerts?limit=1000');
  return json.items.filter(({ labels }) => labels.alertname === name).map(({ state }) => state);
};

test('the inbox is worked through by keyboard: chosen, acknowledged, undone, taken, silenced', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard?label=alertname%3D"DiskFull"');
  await row(page, 'Disk of a is full').waitFor();
  assert.equal(await list(page).getByRole('listitem').count(), 3);
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('Shift+X');
  await page.getByText('2 selected').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press('a');
  await page.getByText('2 alerts acknowledged.').waitFor();
  assert.deepEqual((await statesOf('DiskFull')).toSorted(), ['acknowledged', 'acknowledged', 'firing']);
  await page.keyboard.press('u');
  await page.getByText('Undone: 2 alerts acknowledged.').waitFor();
  assert.deepEqual(await statesOf('DiskFull'), ['firing', 'firing', 'firing']);

  await page.keyboard.press('Enter');
  await detail(page)
    .getByRole('heading', { name: /^Disk of . is full$/ })
    .waitFor();
  await detail(page).getByText('Fired once in 30 days').waitFor();
  await page.keyboard.press('t');
  await detail(page)
    .getByText(/^with /)
    .waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', { name: 'Silence what matches' });
  await dialog.getByText('Would hold back 1 firing alert now.').waitFor();
  await dialog.getByRole('button', { name: 'Remove the matcher of instance' }).click();
  await dialog.getByText('Would hold back 3 firing alerts now.').waitFor();
  await dialog.getByLabel('Why').fill('new disks');
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Make the silence' }).click();
  await dialog.waitFor({ state: 'detached' });

  await page.goto('/silences');
  const silence = page.getByRole('table', { name: 'In force' }).getByRole('row').filter({ hasText: 'new disks' });
  await silence.getByText('alertname="DiskFull", service="shop"').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await silence.getByRole('button', { name: /^End now/ }).click();
  await page.getByRole('table', { name: 'Ended within five days' }).getByText('new disks').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('what others wrote is text, cut, with what cannot be seen written out', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard');
  await row(page, '<img src=x').getByRole('button').first().click();
  await detail(page).getByText("<script>document.title='taken'</script>").waitFor();
  await detail(page).getByText('instance="<b>web1</b>"').waitFor();
  assert.match((await detail(page).getByRole('heading').first().textContent()) ?? '', /\{\{ \.Labels\.secret \}\} \\u202e\\u0007/);
  assert.equal(await detail(page).getByRole('link', { name: 'Runbook' }).count(), 0);
  assert.ok((await page.locator('main').innerText()).length < 20_000);
  assert.doesNotMatch(await page.title(), /taken/);
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('alerts come and go by themselves, in groups, and a storm stays a list of a few rows', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard?severity=info');
  await page.getByText(/^No alert matches these filters\./).waitFor();
  const storm = Array.from({ length: 2_000 }, (_, i) => ({
    labels: { alertname: 'Storm', severity: 'info', instance: `host-${i}`, rack: `r${i % 3}` },
  }));
  assert.equal((await nines.send('POST', '/api/v2/alerts', storm)).status, 200);
  await row(page, 'Storm on host-').first().waitFor();
  await page.getByText('2000', { exact: true }).waitFor();
  assert.ok((await list(page).getByRole('listitem').count()) < 100);
  await poll('the last rows', async () => {
    await page.mouse.wheel(0, 30_000);
    const last = list(page).locator('li[aria-posinset="2000"]:not([aria-busy])');
    return (await last.count()) === 1 && (await last.innerText()).includes('Storm on host-');
  });
  const first = list(page).getByRole('listitem').first();
  assert.ok(Number(await first.getAttribute('aria-posinset')) > 1_900, 'what is above is not in the page');
  await page.keyboard.press('Home');
  await list(page).locator('li[aria-posinset="1"]:not([aria-busy])').waitFor();
  await page.getByLabel('Group').selectOption('rule');
  await page.goto('/alerts-dashboard?severity=info&group=label%3Arack');
  const group = list(page).getByRole('button', { name: /r1/ });
  await group.getByText('667 open, 667 firing').waitFor();
  await group.click();
  await row(page, 'Storm on host-').first().waitFor();
  await page.goto('/alerts-dashboard?view=statistics&days=1');
  await page.getByRole('heading', { name: 'Rules by noise' }).waitFor();
  await page.getByRole('table', { name: 'Rules by noise' }).getByText('Storm').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  // A reader that does not keep up with a storm is cut off and reads again; the browser itself says so.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('/api/stream')),
    [],
  );
  await page.context().close();
});

test('the list of checks has every one of them, and its filter looks over all', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/checks');
  await page.getByText(`${CHECKS} running, 0 failing.`).waitFor();
  const rows = page.getByRole('table', { name: 'Checks with their last results' }).locator('tbody tr[data-index]');
  await rows.filter({ hasText: jobOf(0) }).waitFor();
  assert.ok((await rows.count()) < 120);
  await poll('the last row', async () => {
    await page.mouse.wheel(0, 30_000);
    return (await rows.filter({ hasText: jobOf(CHECKS - 1) }).count()) === 1;
  });
  await page.getByLabel('Filter checks').fill(jobOf(CHECKS - 1));
  await poll('one row', async () => (await rows.count()) === 1);
  await page.goto(`/checks?q=${jobOf(CHECKS - 2)}`);
  await rows.filter({ hasText: jobOf(CHECKS - 2) }).waitFor();
  await page.getByLabel('Filter checks').fill('no such check');
  await page.getByText('No check matches “no such check”.').waitFor();
  await page.getByLabel('Filter checks').blur();
  await page.keyboard.press('Control+K');
  await page
    .getByLabel('Find anything')
    .last()
    .fill(jobOf(CHECKS - 3));
  await page.getByRole('option', { name: jobOf(CHECKS - 3) }).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});
