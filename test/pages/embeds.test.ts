import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { startSmtp } from '../harness/smtp.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

const CONFIG = `services:
  - id: shop
    name: '=Web, "shop"'
    checks:
      - { id: shop-tcp, kind: tcp, address: '127.0.0.1:1', interval: 1s, timeout: 500ms }
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }
`;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG })]);
  const panels = {
    state: { kind: 'state', title: 'States', source: { from: 'services' } },
    text: { kind: 'text', title: 'Words', markdown: 'How **it** goes' },
  };
  const spec = {
    id: 'kinds',
    title: 'Kinds',
    range: '15m',
    refresh: 'off',
    panels,
    layout: { kind: 'two_columns', sections: [{ panels: ['state', 'text'] }] },
  };
  assert.equal((await nines.send('POST', '/api/dashboards', spec)).status, 201);
  await poll('the service to be down', async () => (await nines.get<{ state: string }>('/api/services/shop')).json.state === 'down');
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('a dashboard is shared: as PDF, and in a page of another site until the link is revoked', async (t) => {
  let src = '';
  const other = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Other</title><iframe src="${src}" width="900" height="700"></iframe>`);
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const site = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/dashboards/kinds?last=1h');
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.getByRole('dialog', { name: 'Share Kinds' });
  await dialog.getByLabel('Sites that may show it').fill(site);
  await dialog.getByLabel('Title').fill('Our services');
  const download = page.waitForEvent('download');
  await dialog.getByRole('link', { name: 'Download as PDF' }).click();
  const pdf = readFileSync(await (await download).path());
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  const frame = (await dialog.getByText('<iframe').first().textContent()) ?? '';
  src = /src="([^"]+)"/.exec(frame)?.[1] ?? assert.fail(frame);
  assert.deepEqual(await seriousFaults(page), []);
  const path = new URL(src).pathname;
  src = nines.base + path;
  const visitor = await openPage(browser, site);
  await visitor.page.goto('/');
  const inside = visitor.page.frameLocator('iframe');
  await inside.getByRole('heading', { level: 1, name: 'Our services' }).waitFor();
  await inside.getByRole('cell', { name: '=Web, "shop"' }).first().waitFor();
  await visitor.page.goto(nines.base + path);
  await visitor.page.getByRole('heading', { level: 1, name: 'Our services' }).waitFor();
  assert.deepEqual(await seriousFaults(visitor.page), []);
  await dialog.getByRole('button', { name: 'Revoke the link Our services' }).click();
  await dialog.getByText('Revoked').waitFor();
  await visitor.page.getByText('This link does not show anything any more.').waitFor();
  assert.equal(await visitor.page.locator('main').textContent(), '');
  assert.equal((await nines.get(path)).status, 404);
  assert.deepEqual(complaints, []);
  // The address that is gone is an answer of 404, which browsers note.
  assert.deepEqual(
    visitor.complaints.filter((one) => !one.includes('404')),
    [],
  );
  await Promise.all([page.context().close(), visitor.page.context().close()]);
});

test('a dashboard goes out by mail: regularly, at once when asked, and rests when told to', async (t) => {
  const { port, mails } = await startSmtp(t);
  const config = `channels:
  - { id: mail, kind: email, host: 127.0.0.1, port: ${port}, tls: none, from: nines@shop.example, to: all@shop.example }
`;
  await using sending = await startNines({ config });
  const { page, complaints } = await openPage(browser, sending.base);
  await page.goto('/dashboards/technical');
  await page.getByRole('button', { name: 'Share' }).click();
  const mail = page.getByRole('region', { name: 'Sent by mail' });
  await mail.getByLabel('Recipients').fill('no address');
  await mail.getByRole('button', { name: 'Send it regularly' }).click();
  await mail.getByText('this is no e-mail address').waitFor();
  await mail.getByLabel('Recipients').fill('boss@shop.example, desk@shop.example');
  await mail.getByLabel(/^At/).fill('06:30');
  await mail.getByRole('button', { name: 'Send it regularly' }).click();
  const [listed] = [mail.getByRole('listitem').filter({ hasText: 'boss@shop.example, desk@shop.example' })];
  await listed.getByText('Mondays at 06:30').waitFor();
  await listed.getByText('Never sent yet').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await listed.getByRole('button', { name: /^Send now/ }).click();
  await listed.getByText(/^Sent /).waitFor();
  const [sent = ''] = mails;
  assert.match(sent, /^To: boss@shop\.example, desk@shop\.example/m);
  assert.match(sent, /Content-Type: application\/pdf[\s\S]*JVBERi0/);
  assert.match(sent.replaceAll('=\r\n', ''), /\/dashboards\/technical\?from=/);
  await listed.getByRole('button', { name: /^Let it rest/ }).click();
  await listed.getByText(/^Rests/).waitFor();
  await listed.getByRole('button', { name: /^Remove the delivery/ }).click();
  await listed.waitFor({ state: 'detached' });
  assert.deepEqual(
    complaints.filter((one) => !one.includes('400')),
    [],
  );
  await page.context().close();
});
