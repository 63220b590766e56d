import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const CONFIG = `
channels: [{ id: chat, kind: log }, { id: pager, kind: log }]
oncall:
  people: [{ id: anne, name: '<b>Anne</b>', contacts: [{ channel: pager }] }, { id: ben, name: Ben }]
  schedules:
    - { id: platform, gap_alarm: 'off', layers: [{ name: always, start: '2026-01-05 09:00', members: [anne] }] }
escalation:
  contacts:
    - [{ channel: chat }]
    - [{ schedule: platform }]
    - [{ person: ben }]
  stakeholders: [{ audience: executive, targets: [{ channel: chat }] }]
  watchdogs: [{ id: prometheus, matchers: [alertname="Watchdog"] }]
`;
type Standing = { readonly ladders: readonly { readonly ladder: string; readonly next_level: number | null; readonly status: string }[] };

let browser: Browser;
let nines: Nines;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('the ladders are drawn with whom they would tell now, what reaches nobody is said, and signs of life have their state', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard');
  await page.getByRole('heading', { level: 1 }).waitFor();
  // Keys that come before the page listens are lost.
  await poll('the keys to lead there', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    return page.url().endsWith('/escalation');
  });
  const ladder = page.getByRole('list', { name: 'Levels of critical' });
  await ladder.waitFor();
  assert.equal(await ladder.getByRole('listitem').count(), 4);
  await ladder.getByText('<b>Anne</b> by pager (on call in platform)').waitFor();
  await ladder.getByText('after 5 min').waitFor();
  assert.equal(await ladder.getByText('Ben has no contact').count(), 2);
  await page.getByRole('list', { name: 'Stakeholder routes' }).getByText('hears what is affected').waitFor();
  await page.getByRole('list', { name: 'Signs of life' }).getByText('Watchdog prometheus').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});

test('an alert that comes in climbs; a person sends it to the next level, and both the API and the command line say where it stands', async () => {
  const posted = await nines.send('POST', '/api/v2/alerts', [{ labels: { alertname: 'Slow', severity: 'critical' } }]);
  assert.equal(posted.status, 200, posted.text);
  const { id } = (await nines.get<{ items: readonly { id: string }[] }>('/api/alerts')).json.items[0] ?? assert.fail('the alert is open');
  const standing = async () =>
    (await nines.get<Standing>(`/api/alerts/${id}/escalation`)).json.ladders.find(({ ladder }) => ladder === 'policy');
  assert.deepEqual([(await standing())?.status, (await standing())?.next_level], ['climbing', 2]);
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto(`/alerts-dashboard?alert=${id}`);
  await page.getByRole('list', { name: 'Ladders' }).getByText('level 2 of 4 is due').waitFor();
  await page.getByText('No other alert belongs to it.').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Escalate …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Escalate 1 alert' });
  await dialog.getByText('Level 2 of critical is told now: <b>Anne</b> by pager').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: /^Tell <b>Anne<\/b> by pager .* now$/ }).click();
  await page.getByRole('list', { name: 'Ladders' }).getByText('level 3 of 4 is due').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
  assert.equal((await standing())?.next_level, 3);
  const told = await poll('the message to be out', async () => {
    const { json } = await nines.get<{ items: readonly { channel: string; status: string }[] }>('/api/notifications');
    return json.items.find(({ channel, status }) => channel === 'pager' && status === 'delivered');
  });
  assert.equal(told?.channel, 'pager');
  const cli = async (...args: readonly string[]) =>
    (await promisify(execFile)(NINES, ['escalation', 'show', ...args, '--url', nines.base, '--format', 'csv'])).stdout;
  assert.match(await cli('critical'), /^critical,critical,2,5m,<b>Anne<\/b> by pager \(on call in platform\),/m);
  assert.match(await cli('--alert', id), /^critical,climbing,3 of 4,/m);
  await nines.send('POST', `/api/alerts/${id}/acknowledge`, {});
  assert.equal((await standing())?.status, 'paused');
});

test('an expected alert is heard of and told to nobody', async () => {
  const told = async () => (await nines.get<{ items: readonly unknown[] }>('/api/notifications')).json.items.length;
  const before = await told();
  await nines.send('POST', '/api/v2/alerts', [{ labels: { alertname: 'Watchdog', severity: 'critical' } }]);
  await poll('the watchdog to have heard it', async () => {
    const { json } = await nines.get<{ watchdogs: readonly { heard_at_ms: number | null; silent: boolean }[] }>('/api/escalation/signals');
    return json.watchdogs[0]?.heard_at_ms !== null && json.watchdogs[0]?.silent === false;
  });
  assert.equal(await told(), before);
});

test('a policy is made, changed and removed over HTTP', async () => {
  const policy = { id: 'night', levels: [{ after: '0s', targets: [{ channel: 'pager' }] }] };
  const made = await nines.send<{ revision: number }>('POST', '/api/escalation/policies', policy);
  assert.equal(made.status, 201, made.text);
  const path = '/api/escalation/policies/night';
  assert.equal((await nines.send('PUT', `${path}?revision=${made.json.revision}`, { ...policy, name: 'Night' })).status, 200);
  assert.equal(
    (await nines.send<{ code: string }>('PUT', `${path}?revision=${made.json.revision}`, policy)).json.code,
    'revision_conflict',
  );
  const bad = await nines.send<{ detail: string }>('POST', '/api/escalation/policies', { ...policy, id: 'x', levels: [] });
  assert.equal(bad.status, 400);
  assert.match(bad.text, /a policy has a level/);
  assert.equal((await nines.send('DELETE', path)).status, 204);
  assert.equal((await nines.get(path)).status, 404);
});
