import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '@nines/server/config.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { formatProblem } from '@nines/server/platform/config/load.ts';
import { freePort } from '../../../test/harness/nines.ts';
import { poll } from '../../../test/harness/poll.ts';
import { ROUND, REPORT_AT_S, ROUND_S, demoConfig } from './plan.ts';
import { startReceiver } from './receiver.ts';
import { startHttpTarget, startTcpTarget } from './targets.ts';

const reach = (port: number): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
    (answer) => answer.text(),
    () => 'refused',
  );

test('a demo service answers, is gone, and comes back on its port', async () => {
  await using target = await startHttpTarget(realClock, 1);
  assert.equal(await reach(target.port), 'ok\n');
  await target.turn({ kind: 'gone' });
  assert.equal(await reach(target.port), 'refused');
  await target.turn({ kind: 'well' });
  assert.equal(await reach(target.port), 'ok\n');
  await using database = await startTcpTarget();
  await database.turn({ kind: 'gone' });
  await database.turn({ kind: 'gone' });
  await database.turn({ kind: 'well' });
});

test('the schedule is in order, ends well, and shows the first outage within half a minute and a statement within two', () => {
  const times = ROUND.map(({ atS }) => atS);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.ok((times[0] ?? 99) <= 30 && REPORT_AT_S <= 120 && (times.at(-1) ?? 0) < REPORT_AT_S && REPORT_AT_S < ROUND_S);
  for (const role of new Set(ROUND.map((scene) => scene.role)))
    assert.equal(ROUND.findLast((scene) => scene.role === role)?.mode.kind, 'well');
});

test('the configuration of the demo is one that the product accepts', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-demo-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'nines.yml');
  writeFileSync(file, demoConfig({ trading: 1, gateway: 2, database: 3, models: 4, market: 5 }, 'http://127.0.0.1:6'));
  const loaded = readConfig({ file });
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.map(formatProblem).join('\n'));
  assert.equal(loaded.slas.length, 7);
});

test('the pager shows what it received, escaped', async () => {
  let told = 0;
  await using receiver = await startReceiver(() => told++);
  const alert = { status: 'firing', labels: { alertname: 'Down', service: '<b>' }, annotations: { summary: 'gone' }, startsAt: 'now' };
  const answer = await fetch(`${receiver.url}/alerts`, { method: 'POST', body: JSON.stringify({ status: 'firing', alerts: [alert] }) });
  assert.deepEqual([answer.status, told], [200, 1]);
  assert.equal((await fetch(`${receiver.url}/alerts`, { method: 'POST', body: 'no json' })).status, 400);
  const page = await (await fetch(receiver.url)).text();
  assert.match(page, /Down/);
  assert.match(page, /&lt;b&gt;/);
});

test('in the demo an outage is found, an alert is sent and resolved, and a statement is written', async (t) => {
  const main = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    main,
    'demo',
    '--pace',
    '6',
    '--port',
    String(await freePort()),
  ]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const ended = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const sees = (what: RegExp): Promise<string> => poll(`the demo says ${what}\n${out}${err}`, () => what.exec(out)?.[1], 60_000);
  const url = await sees(/Nines {6}(http:\S+)/);
  await sees(/(Pager: firing ServiceDown trading-system)/);
  await sees(/(Pager: resolved ServiceDown trading-system)/);
  const { items } = (await (await fetch(`${url}/api/slas`)).json()) as { items: { id: string; budget: { spent_ms: number } }[] };
  assert.ok((items.find(({ id }) => id === 'trading-five-minutes')?.budget.spent_ms ?? 0) > 2_000);
  const file = await sees(/Statement of the trading system's SLA: (\S+)/);
  assert.match(readFileSync(file, 'utf8'), /Trading system, five minutes/);
  const config = await sees(/Config {5}(\S+)/);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(existsSync(config), false);
});
