/** The first five steps of somebody new, from an empty data directory and without a restart: a channel is made on the screen and works at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_PAYLOAD } from '../harness/hostile-texts.ts';
import { startNines } from '../harness/nines.ts';
import { startReceiver, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { startSmtp } from '../harness/smtp.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

test('a service, a check, a promise, a channel and a message: all on the screen, and the outage arrives by mail', async (t) => {
  const smtp = await startSmtp(t);
  await using target = await startTarget();
  await using receiver = await startReceiver();
  // Only where administrators may send to: this machine is no public address.
  await using nines = await startNines({ config: 'outbound: { administrator: { allow: [any] } }\n' });
  const browser = await launch();
  t.after(() => browser.close());
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/');
  await page.getByText('0 of 5 done').waitFor();
  await page.getByLabel('Addresses, one a line').fill(`Web shop ${target.url}/health`);
  await page.getByRole('button', { name: 'Watch these' }).click();
  await page.getByText('1 of 5 done').waitFor();

  await page.locator('.checklist').getByRole('button', { name: 'Make a channel' }).click();
  const dialog = page.getByRole('dialog');
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: /^Email/ }).click();
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('mail');
  await dialog.getByLabel('Mail server').fill('127.0.0.1');
  await dialog.getByLabel('Port').fill(String(smtp.port));
  await dialog.getByLabel('Encryption').selectOption('none');
  await dialog.getByLabel('Sender').fill('Nines <nines@example.org>');
  await dialog.getByLabel('Recipients').fill('not an address');
  await dialog.getByRole('button', { name: 'Send a test' }).click();
  await dialog.getByText(/To.*: write a mail address|Invalid input/i).waitFor();
  await dialog.getByLabel('Recipients').fill('ops@example.org');
  await dialog.getByRole('button', { name: 'Send a test' }).click();
  await dialog.getByText(/^Taken in /).waitFor();
  assert.match(smtp.mails[0] ?? '', /Test of the channel mail/);
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Make the channel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Send a test through mail' }).click();
  await page.getByText('2 of 5 done').waitFor();

  await poll('the shop to be up', async () => (await nines.get<{ state: string }>('/api/services/web-shop')).json.state === 'up');
  await target.stop();
  await poll('the outage to arrive by mail', () =>
    smtp.mails.some((mail) => /Subject:.*Web shop|web-shop/i.test(mail) && !mail.includes('Test of the channel')),
  );

  // What names it keeps it; what is typed stays text.
  const policy = { id: 'night', name: FIRST_PAYLOAD, levels: [{ after: '0s', targets: [{ channel: 'mail' }] }] };
  assert.equal((await nines.send('POST', '/api/escalation/policies', policy)).status, 201);
  await page.goto('/settings/channels');
  await page.getByRole('button', { name: 'Remove mail' }).click();
  await dialog.getByText('It is in use').waitFor();
  await dialog.getByText(FIRST_PAYLOAD).waitFor();
  assert.equal((await nines.send('DELETE', '/api/channels/mail')).status, 409);
  await page.goto('/settings/channels?channel=mail');
  await dialog.getByLabel('Sender').fill(FIRST_PAYLOAD);
  await dialog.getByRole('button', { name: 'Save the channel' }).click();
  await dialog.getByText(/write a mail address/).waitFor();
  assert.equal(await page.evaluate("'__xss' in window"), false);

  // A second one, whose secret is kept and shown to nobody.
  const hook = { id: 'hook', kind: 'webhook', url: receiver.url, secret: 'canary-of-a-hook' };
  assert.equal((await nines.send('POST', '/api/channels', { channel: hook })).status, 201);
  await page.goto('/settings/channels?channel=hook');
  await dialog.getByText('It is set, and shown to nobody.').waitFor();
  assert.doesNotMatch(await page.content(), /canary/);
  await dialog.getByRole('button', { name: 'Send a test' }).click();
  await dialog.getByText(/^Taken in /).waitFor();
  assert.ok(receiver.received.length > 0, 'the test went where the kept address leads');
  await dialog.getByRole('button', { name: 'Save the channel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Remove hook' }).click();
  await dialog.getByRole('button', { name: 'Remove the channel' }).click();
  await page.getByText('hook', { exact: true }).waitFor({ state: 'detached' });

  // Who is told next, and what opens an incident, on the screen as well.
  await page.goto('/escalation?add=1');
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Day watch');
  const levels = dialog.getByRole('combobox', { name: 'Tell' });
  await levels.first().selectOption('channel mail');
  await levels.nth(1).selectOption('all channels');
  const preview = dialog.getByRole('region', { name: 'Who would be told now' });
  await preview.getByText('after 15 min').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Make the policy' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Change Day watch' }).click();
  await dialog.getByLabel('Climb it again, times').fill('2');
  await preview.getByText(/climbed again 2 times/).waitFor();
  await dialog.getByRole('button', { name: 'Save the policy' }).click();
  await dialog.waitFor({ state: 'detached' });
  const saved = await nines.get<{ repeat: { times: number } }>('/api/escalation/policies/day-watch');
  assert.equal(saved.json.repeat.times, 2);
  await page.getByRole('button', { name: 'Remove Day watch' }).click();
  await dialog.getByRole('button', { name: 'Remove the policy' }).click();
  await page.getByRole('button', { name: 'Remove Day watch' }).waitFor({ state: 'detached' });

  await page.goto('/incident-rules');
  await page.getByRole('button', { name: 'Try the rules' }).click();
  await page.getByText(/1 incident out of \d+ problems?; the rules in force open 1\./).waitFor();
  const opening = page.getByRole('list', { name: 'What opens an incident' }).getByRole('listitem');
  await opening.last().getByLabel('When').fill('service="nobody"');
  await opening.last().getByLabel('Why').fill(FIRST_PAYLOAD);
  await page.getByRole('button', { name: 'Try the rules' }).click();
  await page.getByText(/0 incidents out of \d+ problems?; the rules in force open 1\./).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Save the rules' }).click();
  await page.getByText('Saved: they decide from now on.').waitFor();
  const rules = await nines.get<{ rules: { open: { why: string }[] } }>('/api/incident-rules');
  assert.equal(rules.json.rules.open.at(-1)?.why, FIRST_PAYLOAD);
  const refusals = complaints.filter((line) => !/Failed to load resource: .* 4\d\d/.test(line));
  assert.deepEqual(refusals, []);
});
