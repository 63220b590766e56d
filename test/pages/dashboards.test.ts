import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

const CONFIG = `services:
  - id: shop
    name: Web shop
    checks:
      - { id: shop-tcp, kind: tcp, address: '127.0.0.1:1', interval: 1s, timeout: 500ms }
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }
`;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG })]);
  await poll('the host and the promise to have figures', async () => {
    const answers = await Promise.all(
      ['rate(node_cpu_seconds_total[5m])', 'sla_attained_ratio'].map((query) =>
        nines.get<{ data: { result: readonly unknown[] } }>(`/api/v1/query?query=${encodeURIComponent(query)}`),
      ),
    );
    return answers.every(({ json }) => json.data.result.length > 0);
  });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('shipped dashboards show what this installation measures, each panel by itself and without an error, in both themes', async () => {
  for (const { id, title, theme, drawn } of [
    { id: 'sla-overview', title: 'SLA overview', theme: 'light', drawn: /^Web shop/ },
    { id: 'technical', title: 'Technical', theme: 'dark', drawn: /^15 min\d/ },
  ] as const) {
    const { page, complaints } = await openPage(browser, nines.base, { theme });
    await page.goto(`/dashboards/${id}`);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.getByText(drawn).first().waitFor();
    assert.deepEqual(await page.locator('.panel-error').allTextContents(), [], id);
    assert.deepEqual(await seriousFaults(page), [], id);
    assert.deepEqual(complaints, [], id);
    await page.context().close();
  }
});

test('a panel whose query fails says so and leaves the others alone; one fills the page and comes back', async () => {
  const query = (expr: string) => ({ from: 'promql', queries: [{ expr, legend: 'load' }] });
  const panels = {
    broken: { kind: 'line', title: 'Broken', source: query('sum(') },
    load: { kind: 'line', title: 'Load', source: query('node_load1') },
  };
  const spec = { id: 'mixed', title: 'Mixed', panels, layout: { kind: 'two_columns', sections: [{ panels: ['broken', 'load'] }] } };
  assert.equal((await nines.send('POST', '/api/dashboards', spec)).status, 201);
  const { page } = await openPage(browser, nines.base);
  await page.goto('/dashboards');
  await page.getByRole('link', { name: 'Mixed', exact: true }).click();
  await page.getByRole('alert').getByText('parse error').waitFor();
  await page
    .getByRole('region', { name: 'Load' })
    .getByText(/^load\d/)
    .waitFor();
  await page.getByRole('button', { name: 'More of Load' }).click();
  await page.getByRole('menuitem', { name: 'Fill the page' }).click();
  await page.getByRole('region', { name: 'Broken' }).waitFor({ state: 'detached' });
  assert.match(page.url(), /panel=load/);
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'Broken' }).waitFor();
  await page.context().close();
});

test('an editor adds, moves and sizes panels with the keyboard, saves what changed with a reason, and it stays', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/dashboards/sla-overview');
  await page.getByRole('button', { name: 'Save a copy' }).press('Enter');
  await page.getByLabel('Title').fill('Night desk');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/dashboards\/night-desk\?.*edit=1/);
  await page.getByLabel('Add a panel').selectOption('gauge');
  await page.getByRole('region', { name: 'Panel editor' }).getByLabel('Title').fill('How busy');
  await page.getByRole('button', { name: 'Done' }).press('Enter');
  await page.getByLabel('Layout').selectOption('custom');
  await page.getByRole('button', { name: 'Wider: How busy' }).press('Enter');
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Save …' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Save the dashboard' });
  await dialog.getByText('added How busy').waitFor();
  await dialog.getByText('another layout').waitFor();
  await dialog.getByLabel('Why, for the history').fill('for the night');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('region', { name: 'How busy' }).waitFor();
  await page.getByRole('button', { name: 'Versions' }).click();
  await page.getByText('for the night').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});
