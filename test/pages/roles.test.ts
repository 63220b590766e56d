/** What a person without many permits meets: pages of their own, controls that say what they need, and no refusal in the network. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { PAGE_PATHS } from '../../server/src/platform/http/static.ts';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage } from './browser.ts';

const CONFIG = `
services:
  - { id: shop, name: Shop, team: web, checks: [{ id: shop-port, kind: tcp, address: '127.0.0.1:1', interval: 5s }] }
  - { id: pay, name: Pay, team: money, checks: [{ id: pay-port, kind: tcp, address: '127.0.0.1:1', interval: 1h }] }
slas:
  - { id: shop-sla, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 30d } }
channels:
  - { id: hook, kind: webhook, url: 'http://127.0.0.1:1/' }
oncall:
  people: [{ id: anne, name: Anne Berg, zone: Europe/Berlin }]
  schedules:
    - { id: platform, zone: Europe/Berlin, layers: [{ name: always, rotation: weekly, start: 2026-01-05 09:00, members: [anne] }] }
`;
let browser: Browser;
let nines: Nines;
/** Open, of the shop. */
let alert: string;
before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG, args: [] })]);
  const admin = { authorization: `Bearer ${tokenOf('administrator')}` };
  const matchers = [
    { name: 'service', op: '=', value: 'shop' },
    { name: 'instance', op: '=', value: 'none' },
  ];
  const made = [
    await nines.send('POST', '/api/silences', { matchers, ends_at_ms: Date.parse('2100-01-01T00:00:00Z'), comment: 'new disk' }, admin),
    await nines.send('POST', '/api/incidents', { title: 'Shop is slow', severity: 'critical', services: ['shop'] }, admin),
    await nines.send('POST', '/api/status-pages', { id: 'public', title: 'Status', services: ['shop'] }, admin),
  ];
  for (const { status, text } of made) assert.ok(status < 300, text);
  alert = await poll('the alert of the shop', async () => {
    const { json } = await nines.get<{ items: { id: string }[] }>('/api/alerts?service=shop', admin);
    return json.items[0]?.id;
  });
});
after(async () => {
  await browser.close();
  await nines[Symbol.asyncDispose]();
});

/** Of a role, seeing everything or what one team has. */
function tokenOf(role: string, team?: string): string {
  const flags = ['token', 'create', '--data', nines.dataDir, '--name', `${role} ${team ?? ''}`, '--role', role];
  return execFileSync(NINES, team === undefined ? flags : [...flags, '--team', team], { encoding: 'utf8' }).trim();
}

/** A page whose every request shows a token, and the refusals that it met. */
async function openAs(role: string, team?: string) {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${tokenOf(role, team)}` });
  const refused: string[] = [];
  page.on('response', (answer) => {
    if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });
  return { page, complaints, refused };
}

const isOfShell = (path: string): boolean => !path.includes(':') && !['/login', '/setup', '/join'].includes(path);
/** Objects, and what pages show in their other views. */
const opened = (): readonly string[] => [
  '/services/shop?check=shop-port',
  '/slas/shop-sla',
  '/slas/shop-sla/statements',
  '/slas/shop-sla/exclusions',
  `/alerts-dashboard?alert=${alert}`,
  '/alerts-dashboard?view=statistics',
  '/incidents/1',
];

for (const [role, team] of [['read-only'], ['executive'], ['operator', 'web']] as const) {
  const who = team === undefined ? role : `${role} of team ${team}`;
  test(`${who}: no page that there is asks for what is refused`, async () => {
    const { page, complaints, refused } = await openAs(role, team);
    for (const path of [...PAGE_PATHS.filter(isOfShell), ...opened()]) {
      await page.goto(path);
      await page.locator('main h1').first().waitFor();
      await page.locator('main .loading').first().waitFor({ state: 'detached' });
      assert.deepEqual(refused, [], `${who} on ${path}`);
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test('what only they may who see everything says so to whoever sees a part', async () => {
  const { page } = await openAs('operator', 'web');
  await page.goto('/status-pages');
  const announce = page.getByRole('button', { name: 'Announce something' });
  await announce.waitFor();
  assert.equal(await announce.isDisabled(), true);
  await page.getByText('only those may use it who see everything').first().waitFor();
  await page.context().close();
});

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
