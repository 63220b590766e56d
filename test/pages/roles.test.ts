/** What a person without many permits meets: pages of their own, controls that say what they need, and no refusal in the network. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { PAGE_PATHS } from '../../server/src/platform/http/static.ts';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage } from './browser.ts';

const CONFIG = `
services:
  - { id: shop, name: Shop, checks: [{ id: shop-port, kind: tcp, address: '127.0.0.1:1', interval: 1h }] }
slas:
  - { id: shop-sla, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 30d } }
`;
let browser: Browser;
let nines: Nines;
before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG, args: [] })]);
});
after(async () => {
  await browser.close();
  await nines[Symbol.asyncDispose]();
});

/** A page whose every request shows a token of `role`, and the refusals that it met. */
async function openAs(role: string) {
  const flags = ['token', 'create', '--data', nines.dataDir, '--name', role, '--role', role];
  const token = execFileSync(NINES, flags, { encoding: 'utf8' }).trim();
  const { page, complaints } = await openPage(browser, nines.base);
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  const refused: string[] = [];
  page.on('response', (answer) => {
    if (answer.status() === 401 || answer.status() === 403) refused.push(`${answer.status()} ${answer.url()}`);
  });
  return { page, complaints, refused };
}

for (const role of ['read-only', 'executive']) {
  test(`${role}: no page that there is meets a refusal`, async () => {
    const { page, complaints, refused } = await openAs(role);
    const pages = PAGE_PATHS.filter((path) => !path.includes(':') && path !== '/login' && path !== '/setup');
    for (const path of [...pages, '/services/shop', '/slas/shop-sla']) {
      await page.goto(path);
      await page.locator('main h1').first().waitFor();
      await page.locator('main .loading').first().waitFor({ state: 'detached' });
      assert.deepEqual(refused, [], `${role} on ${path}`);
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test('an executive sees the pages of the role alone; others say what they need, and a control that is not theirs says it too', async () => {
  const { page } = await openAs('executive');
  await page.goto('/slas');
  await page.getByRole('link', { name: 'SLAs' }).waitFor();
  for (const hidden of ['Checks', 'On call', 'Health', 'Agents'])
    assert.equal(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: hidden }).count(), 0, hidden);
  await page.goto('/checks');
  await page.getByText('needs read on checks; your role executive does not have it').waitFor();
  await page.goto('/maintenance');
  assert.equal(await page.getByRole('button', { name: 'Announce maintenance' }).isDisabled(), true);
  await page.getByText('Needs operate on maintenance; your role executive does not have it.').waitFor();
  await page.context().close();
});
