import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const CONFIG = `
services:
  - { id: web, name: Web }
  - { id: db, name: Database }
  - { id: site, name: Site, composite: { all: [web, db] } }
`;
type Items = { readonly items: readonly { readonly id: string; readonly from_at_ms: number; readonly to_at_ms: number }[] };

let browser: Browser;
let nines: Nines;
const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 60 * 60_000;
const minute = (n: number): number => startMs / 1000 + n * 60;

before(async () => {
  browser = await launch();
  nines = await startNines({ config: CONFIG });
  const span = (service: string, from: number, to: number, state: string) => ({
    service,
    from: minute(from),
    to: minute(to),
    state,
    detail: 'seen from Oslo',
  });
  const rows = [
    span('web', 0, 10, 'up'),
    span('web', 10, 16, 'down'),
    span('web', 16, 20, 'up'),
    span('web', 20, 24, 'down'),
    span('web', 24, 50, 'up'),
    span('db', 0, 50, 'up'),
  ];
  const taken = await nines.send('POST', '/api/availability/imports', { format: 'intervals', source: 'other monitor', rows });
  assert.equal(taken.status, 200, taken.text);
});
after(async () => {
  await browser.close();
  await nines.stop();
});

test('a downtime is split, merged and put together again on its page', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  const first = (await nines.get<Items>('/api/downtime?service=web')).json.items.at(-1);
  await page.goto(`/services/web?downtime=${first?.id}`);
  const drawer = page.getByRole('dialog', { name: 'Downtime' });
  await drawer.getByRole('button', { name: 'Split' }).click();
  await drawer.getByRole('list', { name: 'Revisions of the downtime' }).getByText('2: split').waitFor();
  const split = (await nines.get<Items>('/api/downtime?service=web')).json.items;
  assert.deepEqual(
    split.map((one) => (one.to_at_ms - one.from_at_ms) / 60_000),
    [4, 3, 3],
    'in the middle, unless somebody says another instant',
  );
  await drawer.getByRole('button', { name: 'Merge with the one after' }).click();
  await drawer.getByText('Merged of 2 stretches of down time').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await drawer.getByRole('button', { name: 'Undo the last one' }).click();
  await drawer.getByText('taken apart again').waitFor();
  assert.equal((await nines.get<Items>('/api/downtime?service=web')).json.items.length, 3);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('what another monitor saw is told with its import and row', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto(`/services/web?from=${startMs}&to=${startMs + 50 * 60_000}`);
  await page.getByText('Where our own checks saw nothing: 5 stretches from other monitor').click();
  const list = page.getByRole('list', { name: 'Imported stretches' });
  await list.getByText(/down from .* for 6.min: seen from Oslo/).waitFor();
  await list.getByText(/other monitor, import .*, row 2/).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the page of a composite shows its members under its own time', async () => {
  for (const view of [{ theme: 'light' }, { theme: 'dark', width: 390 }] as const) {
    const { page, complaints } = await openPage(browser, nines.base, view);
    await page.goto(`/services/site?from=${startMs}&to=${startMs + 50 * 60_000}`);
    await page.getByText('works while all of web, db work').waitFor();
    await page.getByRole('img', { name: 'Time line of web' }).waitFor();
    await page.getByRole('link', { name: 'db', exact: true }).first().waitFor();
    assert.deepEqual(await seriousFaults(page), []);
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
  const outages = (await nines.get<Items>('/api/downtime?service=site')).json.items.map((one) => (one.from_at_ms - startMs) / 60_000);
  assert.deepEqual(outages, [20, 10], 'its outages are those of its members');
});
