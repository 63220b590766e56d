import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;

const CONFIG = `rules:
  packs: [edge]
  thresholds:
    - { id: queue_long, name: QueueLong, metric: queue_length, threshold: 100, clear: 50, severity: critical }
    - { id: queue_named, name: QueueNamed, metric: queue_length, threshold: 100, annotations: { note: '{{ humanize "x" }}' } }
`;

before(async () => {
  [browser, nines] = await Promise.all([launch(), startNines({ config: CONFIG })]);
  const metric = { name: 'queue_length', value: 140, labels: { instance: 'a' } };
  assert.equal((await nines.send('POST', '/api/metrics', { metrics: [metric] })).status, 204);
  await poll('both rules to have said what they say', async () => {
    const { json } = await nines.get<{ items: readonly { id: string; state: string; health: string }[] }>('/api/rules');
    const states = json.items.filter(({ id }) => id.startsWith('queue_')).map(({ state, health }) => `${state} ${health}`);
    return states.join(', ') === 'firing ok, firing err';
  });
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
});

test('what does not work stands first, and a rule tells what it reads and what it would have done', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/rules');
  const rows = page.getByRole('table', { name: 'Rules' }).getByRole('row');
  await rows.nth(1).getByText('QueueNamed').waitFor();
  await rows.nth(1).getByText('Does not work').waitFor();
  await rows.nth(2).getByText('Firing').waitFor();
  await page.getByText('pack edge').first().waitFor();
  await rows.nth(2).getByRole('button', { name: 'QueueLong' }).click();
  const drawer = page.getByRole('dialog', { name: 'Rule' });
  await drawer.getByText('> 100, clear at 50').waitFor();
  await drawer.getByRole('button', { name: 'Back-test' }).click();
  await drawer.getByText(/^It would (not )?have fired/).waitFor();
  assert.match(page.url(), /rule=queue_long/);
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
});
