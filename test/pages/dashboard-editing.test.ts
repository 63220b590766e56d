/**
 * Editing dashboards in a browser, and deployments behind their charts. One server for all of it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage } from './browser.ts';

let browser: Browser;
let nines: Nines;

const HOSTILE = '<img src=x onerror="window.__xss=1">';
const query = (expr: string) => ({ from: 'promql', queries: [{ expr, legend: 'load' }] });
const text = (title: string) => ({ kind: 'text', title, markdown: `about ${title}` });
const item = (panel: string, x: number, y: number) => ({ panel, x, y, w: 8, h: 5 });
const BOARD = {
  id: 'desk',
  title: 'Desk',
  panels: { one: text('One'), two: text('Two'), bad: { kind: 'text', title: HOSTILE, markdown: HOSTILE } },
  layout: { kind: 'custom', sections: [{ title: 'Now', items: [item('one', 0, 0), item('two', 8, 0), item('bad', 16, 0)] }] },
};

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: 'services: [{ id: shop, name: Shop }]\n' })]);
  assert.equal((await nines.send('POST', '/api/dashboards', BOARD)).status, 201);
  await poll('the host to have figures', async () => {
    const { json } = await nines.get<{ data: { result: readonly unknown[] } }>('/api/v1/query?query=node_load1');
    return json.data.result.length > 0;
  });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

type Saved = {
  readonly revision: number;
  readonly title: string;
  readonly spec: { readonly layout: { readonly sections: readonly { readonly items: readonly ReturnType<typeof item>[] }[] } };
};
const saved = async (): Promise<Saved> => (await nines.get<Saved>('/api/dashboards/desk')).json;
const placeOf = (page: Page, id: string): Promise<string> =>
  page
    .locator(`.dash-cell:has([data-panel="${id}"])`)
    .evaluate((cell) => ['--x', '--y', '--w', '--h'].map((name) => cell.style.getPropertyValue(name)).join(' '));

async function drag(page: Page, handle: string, by: readonly [x: number, y: number]): Promise<void> {
  const box = await page.locator('[data-panel="one"]').getByTitle(handle).boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + by[0], y + by[1], { steps: 4 });
  await page.mouse.up();
}

test('panels are dragged, sized, moved with the keyboard and undone; a draft outlives the page; who is late sees what the other changed', async () => {
  const { page } = await openPage(browser, nines.base);
  await page.goto('/dashboards/desk?edit=1');
  await page.getByRole('region', { name: 'Editing' }).waitFor();
  assert.equal(await placeOf(page, 'one'), '1 1 8 5');
  await drag(page, 'Drag to size', [0, 96]);
  assert.equal(await placeOf(page, 'one'), '1 1 8 7');
  await drag(page, 'Drag to move', [0, 336]);
  assert.equal(await placeOf(page, 'one'), '1 8 8 7');
  await page.getByRole('button', { name: 'Wider: Two' }).press('Enter');
  assert.match(await placeOf(page, 'two'), / 9 5$/);
  const undo = page.getByRole('button', { name: 'Undo', exact: true });
  for (let steps = 0; steps < 10 && (await undo.isEnabled()); steps++) await undo.press('Enter');
  assert.equal(await placeOf(page, 'one'), '1 1 8 5');
  await page.getByRole('button', { name: 'Redo', exact: true }).press('Enter');
  assert.notEqual(await placeOf(page, 'one'), '1 1 8 5');

  await page.getByRole('button', { name: 'Variables (0)' }).press('Enter');
  const variables = page.getByRole('region', { name: 'Variables' });
  await variables.getByRole('button', { name: 'Add a variable' }).press('Enter');
  await variables.getByLabel('Offers').selectOption('list');
  await variables.getByText('2 values: production, staging').waitFor();
  await page.getByRole('button', { name: 'Add a section' }).press('Enter');
  await page.getByLabel('Name of section 2').fill('Later');
  await page.getByLabel('Section of Two').selectOption('1');
  await page.getByRole('button', { name: 'Duplicate One' }).press('Enter');
  await page.locator('[data-panel="one-2"]').waitFor();

  await poll('the draft to be kept', async () => {
    const { draft } = (await nines.get<{ draft: { spec: { panels: object } } | null }>('/api/dashboards/desk/draft')).json;
    return draft !== null && 'one-2' in draft.spec.panels;
  });
  await page.reload();
  await page.getByRole('button', { name: 'Go on with them' }).press('Enter');
  await page.locator('[data-panel="one-2"]').waitFor();

  assert.equal((await nines.send('PUT', '/api/dashboards/desk?revision=1', { ...BOARD, description: 'changed by another' })).status, 200);
  await page.getByRole('button', { name: 'Save …' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Save the dashboard' });
  await dialog.getByText('the dashboard’s variables').or(dialog.getByText("the dashboard's variables")).waitFor();
  await dialog.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await dialog.getByText('changed by another').first().waitFor();
  await dialog.getByRole('button', { name: 'Save mine' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await saved()).revision, 3);
  assert.deepEqual(
    (await saved()).spec.layout.sections.map(({ items }) => items.map(({ panel }) => panel)),
    [['one', 'bad', 'one-2'], ['two']],
  );

  await page.getByRole('button', { name: 'Versions' }).click();
  await page.getByRole('button', { name: 'Restore 1' }).click();
  await poll('the first version to be back', async () => (await saved()).revision === 4);
  assert.deepEqual((await saved()).spec.layout.sections[0]?.items, BOARD.layout.sections[0]?.items);
  assert.equal(await page.evaluate(() => Reflect.get(window, '__xss')), undefined);
  await page.context().close();
});

test('a deployment stands behind the charts and beside its service; queries go to Explore with their stretch; a wall and a phone show it all', async () => {
  const told = await nines.send('POST', '/api/deployments', { service: 'shop', version: 'v1.4.2', at_ms: Date.now() - 60_000 });
  assert.equal(told.status, 201);
  const panels = { load: { kind: 'line', title: 'Load', source: query('node_load1') } };
  const spec = {
    id: 'marks',
    title: 'Marks',
    range: '1h',
    panels,
    layout: { kind: 'one_column', sections: [{ panels: ['load'] }] },
    annotations: [{ from: 'deployments' }],
  };
  assert.equal((await nines.send('POST', '/api/dashboards', spec)).status, 201);
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/dashboards/marks?kiosk=1');
  await page.getByText('shop v1.4.2').waitFor();
  const title = await page.getByRole('heading', { name: 'Load', exact: true }).evaluate((one) => one.getBoundingClientRect().height);
  await page.goto('/dashboards/marks');
  await page.getByText('shop v1.4.2').waitFor();
  assert.ok(
    title >= (await page.getByRole('heading', { name: 'Load', exact: true }).evaluate((one) => one.getBoundingClientRect().height)) * 1.2,
  );
  await page.getByText(/^load\d/).waitFor();
  await page.getByRole('button', { name: 'More of Load' }).click();
  await page.getByRole('menuitem', { name: 'Explore it' }).click();
  await page.waitForURL(
    (url) => url.pathname === '/explore' && url.searchParams.has('from') && (url.searchParams.get('panels') ?? '').includes('node_load1'),
  );
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/dashboards/marks');
  await page.getByText('shop v1.4.2').waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  await page.goto('/services/shop');
  await page.getByRole('list', { name: 'Deployments' }).getByText('shop v1.4.2').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});
