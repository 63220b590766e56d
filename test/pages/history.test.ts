import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Response } from 'playwright-core';
import { type Scenario, createFixtureServer } from '../../web/dev/fixture-server.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
const served: Server[] = [];
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
  for (const server of served) {
    server.close();
    server.closeAllConnections();
  }
});

/** The built pages on a history that no test could wait for. */
async function serve(scenario: Scenario): Promise<{ readonly base: string }> {
  const server = createFixtureServer(scenario).listen(0, '127.0.0.1');
  await once(server, 'listening');
  served.push(server);
  const { port } = server.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}` };
}

test('the time line goes from ninety days down to one second and tells what it shows', async () => {
  const { base } = await serve('full');
  const { page, complaints } = await openPage(browser, base);
  await page.goto('/services/shop?range=90d');
  const strip = page.getByRole('slider', { name: /Time line of Web shop/ });
  await poll('the last interval', async () => /^Down from .*connection refused/.test((await strip.getAttribute('aria-valuetext')) ?? ''));
  await page.getByText('90 d shown').waitFor();
  await strip.focus();
  for (let presses = 0; presses < 30; presses++) await page.keyboard.press('+');
  await page.getByText('1 s shown').waitFor();
  const { from, to } = Object.fromEntries(new URL(page.url()).searchParams);
  assert.equal(Number(to) - Number(from), 1_000, 'the address carries the view');
  await page.goto('/services/shop?range=90d');
  await strip.focus();
  await poll('the first interval', async () => {
    await page.keyboard.press('Home');
    return /^Unknown from .*not yet monitored$/.test((await strip.getAttribute('aria-valuetext')) ?? '');
  });
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('dragging over the time line looks closer, and an outage in the list leads to its place', async () => {
  const { base } = await serve('full');
  const { page } = await openPage(browser, base);
  await page.goto('/services/shop?range=24h');
  const strip = page.getByRole('slider', { name: /Time line of Web shop/ });
  const box = await strip.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.25, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 10, { steps: 5 });
  await page.mouse.up();
  const view = await poll('the closer view in the address', () => {
    const { from, to } = Object.fromEntries(new URL(page.url()).searchParams);
    return from === undefined ? undefined : Number(to) - Number(from);
  });
  assert.ok(Math.abs(view - 43_200_000) < 200_000, `half a day, not ${view} ms`);
  await page.getByRole('table', { name: 'Downtimes' }).getByRole('link').last().click();
  await poll(
    'the outage of eleven minutes',
    async () => ((await strip.getAttribute('aria-valuetext')) ?? '').startsWith('Up from') && page.url().includes('from='),
  );
  await page.getByText('22 min shown').waitFor();
  await page.context().close();
});

test('alerts are selected by keyboard in a range and acknowledged in one request', async () => {
  const { base } = await serve('full');
  const { page, complaints } = await openPage(browser, base);
  const sent: unknown[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push([new URL(request.url()).pathname, request.postDataJSON()]);
  });
  await page.goto('/alerts-dashboard');
  await page.getByRole('button', { name: /Web shop is down/ }).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Shift+X');
  await page.getByText('3 selected').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press('a');
  await page.getByText('3 alerts acknowledged.').waitFor();
  assert.deepEqual(sent, [['/api/alerts/acknowledge', { ids: ['a0', 'a1', 'a2'] }]]);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('ten thousand services are one list, of which only the rows in sight are in the page', async () => {
  const { base } = await serve('many');
  const { page } = await openPage(browser, base);
  await page.goto('/services');
  await page.getByText('10000 up').waitFor();
  assert.ok((await page.locator('tbody tr').count()) < 100);
  // Over the list: the navigation scrolls by itself.
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, 200_000);
  await page
    .getByRole('link', { name: /^Service 6\d\d\d$/ })
    .first()
    .waitFor();
  assert.ok((await page.locator('tbody tr').count()) < 100);
  await page.getByRole('searchbox', { name: 'Filter services' }).fill('9999');
  await page.getByRole('link', { name: 'Service 9999' }).waitFor();
  await page.context().close();
});

test('the first load is at most 300 KB of script and 45 KB of style, compressed, and asks no other host', async () => {
  const { base } = await serve('full');
  const { page } = await openPage(browser, base);
  const sizes = { js: 0, css: 0 };
  const hosts = new Set<string>();
  const weighed: Promise<void>[] = [];
  const late: unknown[] = [];
  const weigh = async (response: Response): Promise<void> => {
    const { pathname, host } = new URL(response.url());
    hosts.add(host);
    if (!/\.(js|css)$/.test(pathname)) return;
    // Read before it is added: others add while this one waits.
    const bytes = gzipSync(await response.body()).length;
    sizes[pathname.endsWith('.js') ? 'js' : 'css'] += bytes;
  };
  // What is still on its way when the page is closed has no body, and is not of the first load.
  page.on('response', (response) => weighed.push(weigh(response).catch((thrown: unknown) => void late.push(thrown))));
  await page.goto('/', { waitUntil: 'networkidle' });
  await Promise.all(weighed.splice(0));
  assert.deepEqual(late, []);
  assert.ok(sizes.js > 0 && sizes.js <= 300 * 1024, `${sizes.js} bytes of script`);
  assert.ok(sizes.css > 0 && sizes.css <= 45 * 1024, `${sizes.css} bytes of style`);
  assert.deepEqual([...hosts], [new URL(base).host]);
  await page.context().close();
});

test('a browser that believes itself offline still shows what a server within reach says', async () => {
  const { base } = await serve('full');
  const { page } = await openPage(browser, base);
  await page.goto('/');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate("dispatchEvent(new Event('offline'))");
  await page.getByRole('link', { name: 'Checks' }).click();
  await page.getByRole('row', { name: /shop-http/ }).waitFor();
  await page.context().close();
});

test('two tabs share one stream, and the second takes over when the first is closed', async () => {
  const { base } = await serve('full');
  const { page: first } = await openPage(browser, base);
  const second = await first.context().newPage();
  const streams = new Map([
    [first, 0],
    [second, 0],
  ]);
  for (const page of [first, second]) {
    page.on('request', (request) => {
      if (request.url().includes('/api/stream?')) streams.set(page, (streams.get(page) ?? 0) + 1);
    });
  }
  await first.goto('/');
  await first.getByText('Live', { exact: true }).waitFor();
  await second.goto('/services');
  await second.getByText('Live', { exact: true }).waitFor();
  assert.deepEqual([...streams.values()], [1, 0]);
  await first.close();
  await poll('the second tab to listen by itself', () => streams.get(second) === 1);
  await second.getByText('Live', { exact: true }).waitFor();
  await second.context().close();
});
