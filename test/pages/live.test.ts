import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage } from './browser.ts';

let browser: Browser;
let nines: Nines;

const query = (expr: string, more = {}) => ({ from: 'promql', queries: [{ expr, legend: '{{shop}}', ...more }] });
const SPEC = {
  id: 'orders',
  title: 'Orders',
  range: '15m',
  refresh: 'live',
  panels: {
    now: { kind: 'card', title: 'Waiting', compare: 'none', source: query('orders_waiting', { instant: true }) },
    line: { kind: 'line', title: 'Over time', source: query('sum(orders_waiting)') },
  },
  layout: { kind: 'two_columns', sections: [{ panels: ['now', 'line'] }] },
};

const orders = (value: number): Promise<unknown> =>
  nines.send('POST', '/api/metrics', { metrics: [{ name: 'orders_waiting', value, labels: { shop: 'north' }, type: 'gauge' }] });
const panel = (page: Page, name: string) => page.getByRole('region', { name });

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({})]);
  await orders(41);
  assert.equal((await nines.send('POST', '/api/dashboards', SPEC)).status, 201);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('values arrive by themselves on every tab over one stream; the server going away is said, what was known stays, and it heals', async () => {
  const { page: first } = await openPage(browser, nines.base);
  const asked: string[] = [];
  const streams: string[] = [];
  first.context().on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === '/api/stream') streams.push(request.url());
    if (pathname === '/api/v1/query') asked.push(request.url());
  });
  await first.goto('/dashboards/orders');
  await panel(first, 'Waiting').getByText('41.0', { exact: true }).waitFor();
  const second = await first.context().newPage();
  await second.goto('/dashboards/orders');
  await panel(second, 'Waiting').getByText('41.0', { exact: true }).waitFor();
  await orders(42);
  for (const page of [first, second]) {
    await panel(page, 'Waiting').getByText('42.0', { exact: true }).waitFor();
    await panel(page, 'Over time').getByText(/^Live/).waitFor();
  }
  assert.equal(streams.length, 1, 'one connection for both tabs');
  assert.deepEqual(asked, [], 'nobody asks for what is pushed');

  const { folder, port } = nines;
  await nines.kill();
  for (const page of [first, second]) {
    await panel(page, 'Waiting')
      .getByText(/^Disconnected/)
      .waitFor();
    await panel(page, 'Waiting').getByText('42.0', { exact: true }).waitFor();
  }
  nines = await startNines({ folder, port });
  await orders(43);
  for (const page of [first, second]) {
    await panel(page, 'Waiting').getByText('43.0', { exact: true }).waitFor();
    await panel(page, 'Waiting').getByText(/^Live/).waitFor();
  }
  await first.close();
  await poll('the second tab to listen by itself', () => streams.length > 1);
  await orders(44);
  await panel(second, 'Waiting').getByText('44.0', { exact: true }).waitFor();
  await second.context().close();
});
