import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const ALERTMANAGER = `
route:
  receiver: ops
  group_by: [alertname]
  routes:
    - matchers: [team="db"]
      receiver: databases
      continue: true
      routes: [{ matchers: [severity="critical"], receiver: databases, group_by: ['...'], group_wait: 0s }]
    - { matchers: ['team=~"db|web"'], receiver: office, active_time_intervals: [never] }
    - { receiver: nobody, matchers: [severity="none"] }
inhibit_rules: [{ source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [team] }]
time_intervals:
  - { name: never, time_intervals: [{ years: ['1999'], weekdays: ['monday:friday'], times: [{ start_time: '09:00', end_time: '17:00' }] }] }
receivers:
  - { name: ops, webhook_configs: [{ url: 'http://127.0.0.1:9/ops' }] }
  - { name: databases, webhook_configs: [{ url: 'http://127.0.0.1:9/db' }, { url: 'http://127.0.0.1:9/more' }] }
  - { name: office, webhook_configs: [{ url: 'http://127.0.0.1:9/office' }] }
  - { name: nobody }
`;
let browser: Browser;
let nines: Nines;

before(async () => {
  const config = 'routing: { alertmanager_file: alertmanager.yml }\n';
  [browser, nines] = await Promise.all([launch(), startNines({ config, files: { 'alertmanager.yml': ALERTMANAGER } })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('the tree is drawn, and the way of an alert through it with its reasons', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('v');
  const tree = page.getByRole('table', { name: 'Routes' });
  await tree.getByText('severity="critical"').waitFor();
  assert.equal(await tree.getByRole('row').count(), 6);
  await page.getByRole('table', { name: 'Receivers' }).getByText('databases-webhook-2 (webhook, http://127.0.0.1:9)').waitFor();
  await page.getByRole('table', { name: 'Time intervals' }).getByText('○ outside').waitFor();
  await page.getByText('{severity="critical"} inhibits {severity="warning"} with equal team').waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  await page.keyboard.press('/');
  await page.keyboard.type('team=db severity=critical nonsense');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('"nonsense" is no label: write name=value').waitFor();
  await page.getByLabel('Labels of the alert').fill('team=db severity=critical');
  await page.keyboard.press('Enter');
  const receivers = page.getByRole('list', { name: 'Receivers' });
  await receivers.getByText('databases by databases-webhook, databases-webhook-2').waitFor();
  await receivers.getByText('office by office-webhook; keeps quiet now: outside of the time intervals "never"').waitFor();
  await tree.getByRole('row').filter({ hasText: '● goes here: severity="critical" holds' }).waitFor();
  await tree.getByRole('row').filter({ hasText: '– not asked: an earlier route takes the alert' }).waitFor();
  assert.match(page.url(), /labels=/);
  await page.reload();
  await receivers.getByText('databases by').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});
