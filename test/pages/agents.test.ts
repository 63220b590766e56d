import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { freePort, NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

let browser: Browser;
let nines: Nines;
let agent: ChildProcess | undefined;
const folder = mkdtempSync(join(tmpdir(), 'nines-agent-page-'));

before(async () => {
  const port = await freePort();
  const config = `
agents: { listen: '127.0.0.1:${port}' }
services:
  - id: shop
    checks: [{ id: port, kind: tcp, address: '127.0.0.1:${port}', interval: 2s, locations: [server, berlin, tokyo] }]
`;
  [browser, nines] = await Promise.all([launch(), startNines({ config })]);
});
after(async () => {
  agent?.kill('SIGKILL');
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('an agent joins with the command of the page, is seen with its clock, takes a new key and is revoked', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/agents');
  await page.getByText('No agent has joined. Checks ask at berlin, tokyo, where no agent is: those voices are absent.').waitFor();
  await page.getByLabel('Location').fill('berlin');
  await page.getByRole('button', { name: 'Make a join token' }).click();
  const told = await page.getByRole('status').getByText('nines agent --server').textContent();
  const [, server = '', token = ''] = /--server (\S+) --token (\S+)/.exec(told ?? '') ?? [];
  await page.getByRole('table', { name: 'Join tokens that were not used' }).getByText('berlin').waitFor();
  agent = spawn(NINES, ['agent', '--server', server, '--token', token, '--data', join(folder, 'agent')], { stdio: 'ignore' });
  const ended = once(agent, 'exit');
  const row = page.getByRole('table', { name: 'Agents' }).getByRole('row').filter({ hasText: 'berlin' });
  await row.getByText('Connected').waitFor();
  await row.getByText(/^-?\d+ ms$/).waitFor();
  await page.getByText('1 agent, all connected. Checks ask at tokyo, where no agent is: those voices are absent.').waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  const identity = async (): Promise<boolean> => {
    const { json } = await nines.get<{ items: { rotating: boolean }[] }>('/api/agents');
    return json.items.every(({ rotating }) => !rotating);
  };
  await row.getByRole('button', { name: 'New key' }).click();
  await poll('the new key to be in use', identity);
  await row.getByRole('button', { name: 'Revoke berlin' }).click();
  await page.getByRole('table', { name: 'Revoked agents' }).getByText('berlin').waitFor();
  assert.notEqual((await ended)[0], 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a check says from where each result came and how many must agree', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/checks?check=port');
  const drawer = page.getByRole('dialog', { name: 'Check' });
  await drawer.getByText('Asked from server, berlin, tokyo; down when 2 of them say so').waitFor();
  await drawer
    .getByText(/^server: answered/)
    .first()
    .waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
