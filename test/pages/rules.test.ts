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

test('a query of explore becomes a saved rule that fires at once, is changed, and ends its alert when it is removed', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/explore?q=queue_length%20%3E%20120');
  await page.getByRole('button', { name: 'Make an alert from this' }).click();
  const dialog = page.getByRole('dialog', { name: 'An alert from this query' });
  await dialog.getByRole('textbox', { name: 'Id', exact: true }).fill('queue_long');
  await dialog.getByRole('textbox', { name: 'For', exact: true }).fill('0s');
  await dialog.getByRole('button', { name: 'Save the rule' }).click();
  await dialog.getByText(/There is a rule "queue_long" already, in .*choose another id/).waitFor();
  await dialog.getByRole('textbox', { name: 'Id', exact: true }).fill('queue_saved');
  await dialog.getByRole('button', { name: 'Save the rule' }).click();
  await dialog.getByText('Saved: it is evaluated from now on.').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('link', { name: 'See the rule' }).click();
  const drawer = page.getByRole('dialog', { name: 'Rule', exact: true });
  await drawer.getByText('Firing').waitFor();
  await drawer.getByText('saved here', { exact: false }).waitFor();

  await drawer.getByRole('button', { name: 'Edit' }).click();
  const form = page.getByRole('dialog', { name: 'Edit the rule' });
  assert.equal(await form.getByRole('textbox', { name: 'Threshold' }).inputValue(), '120');
  await form.getByRole('textbox', { name: 'Summary' }).fill('{{ $value }} wait');
  await form.getByRole('button', { name: 'Save the rule' }).click();
  await drawer.getByRole('button', { name: 'Remove' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await poll('the alert that goes on to say what the rule says now', async () => {
    const { json } = await nines.get<{ items: readonly { rule: string; annotations: { summary?: string } }[] }>('/api/alerts');
    return json.items.find(({ rule }) => rule === 'queue_saved')?.annotations.summary === '140 wait';
  });

  await drawer.getByRole('button', { name: 'Remove' }).click();
  const removal = page.getByRole('dialog', { name: 'Remove the rule queue_saved?' });
  await removal.getByText('its open alert ends', { exact: false }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await removal.getByRole('button', { name: 'Remove the rule' }).click();
  await page.getByRole('table', { name: 'Rules' }).getByText('QueueLong').waitFor();
  const { json } = await nines.get<{ items: readonly { rule: string }[] }>('/api/alerts');
  assert.deepEqual(
    json.items.filter(({ rule }) => rule === 'queue_saved'),
    [],
  );
  assert.deepEqual(
    complaints.filter((one) => !/409|400/.test(one)),
    [],
  );
});
