import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NINES, startNines } from '../harness/nines.ts';

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
const run = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(NINES, args, (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }));
  });
type Downtime = { readonly id: string; readonly from_at_ms: number; readonly to_at_ms: number; readonly reason: string };

const CONFIG = `
services:
  - { id: web }
  - { id: db }
  - { id: site, composite: { at_least: 1, of: [web, db] } }
`;

test('intervals are imported and downtimes worked on from the command line', async () => {
  await using nines = await startNines({ config: CONFIG });
  const cli = async (...args: string[]): Promise<Ran> => run('--url', nines.base, ...args);
  const startS = Math.floor(Date.now() / 1000) - 7_200;
  const file = join(nines.folder, 'intervals.csv');
  const line = (service: string, from: number, to: number, said: string): string =>
    `${service},${startS + from},${startS + to},${said.replace(' ', ',"seen, from Oslo",')}\n`;
  const good = `service,from,to,state,detail,reason\n${line('web', 0, 600, 'up ')}${line('web', 600, 900, 'down network_issue')}${line('web', 900, 1_800, 'up ')}`;

  writeFileSync(file, `${good}${line('ghost', 0, 60, 'up ')}${line('site', 0, 60, 'up ')}${line('db', 60, 0, 'up ')}`);
  const refused = await cli('import', 'intervals', file, '--source', 'oslo');
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /nothing was imported: row 5 there is no service "ghost".* and 2 more/);
  writeFileSync(file, good);
  const taken = await cli('import', 'downtimes', file, '--source', 'oslo');
  assert.match(taken.stderr, /for web; 3 intervals taken, 0 known before/);
  assert.match((await cli('import', 'intervals', file, '--source', 'oslo')).stderr, /nothing new; 0 intervals taken, 3 known/);

  const samples = Array.from({ length: 120 }, (_, i) => [startS + i * 15, i >= 40 && i < 60 ? '0' : '1']);
  const prometheus = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://p');
    const time = Number(asked.searchParams.get('time'));
    const values =
      asked.searchParams.get('query')?.startsWith('probe_success[') === true ? samples.filter(([at]) => Number(at) <= time) : [];
    response.end(
      JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric: { instance: 'db:5432' }, values }] } }),
    );
  });
  prometheus.listen(0, '127.0.0.1');
  await once(prometheus, 'listening');
  const url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`;
  const probed = await cli('import', 'intervals', url, '--service', 'db:5432=db', '--from', String(startS - 60));
  prometheus.close();
  assert.match(probed.stderr, /for db; 3 intervals taken/);

  const list = async (service: string): Promise<readonly Downtime[]> =>
    (JSON.parse((await cli('downtime', 'list', '--service', service, '--format', 'json')).stdout) as { items: Downtime[] }).items;
  const [outage] = await list('web');
  assert.deepEqual([outage?.reason, (outage?.to_at_ms ?? 0) - (outage?.from_at_ms ?? 0)], ['network_issue', 300_000]);
  const both = (await list('site')).map((one) => [one.from_at_ms / 1000 - startS, one.to_at_ms / 1000 - startS]);
  assert.deepEqual(both, [[600, 900]], 'the composite is down while both are');

  const id = outage?.id ?? '';
  assert.equal((await cli('downtime', 'split', id, '--at', String(startS + 700), '--reason', 'software_bug')).code, 0);
  assert.deepEqual(
    (await list('web')).map(({ reason }) => reason),
    ['software_bug', 'network_issue'],
  );
  assert.equal((await cli('downtime', 'undo', id)).code, 0);
  assert.equal((await list('web')).length, 1);
  assert.match((await cli('downtime', 'history', id)).stdout, /rejoined/);
  assert.equal((await cli('downtime', 'split', id, '--at', String(startS))).code, 2, 'not within it');
});

test('a circle of composites is refused by name and path when the configuration is checked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-circle-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'nines.yml');
  writeFileSync(
    file,
    'services:\n  - { id: a, composite: { all: [b] } }\n  - { id: b, composite: { any: [c] } }\n  - { id: c, depends_on: [a] }\n',
  );
  const { code, stderr, stdout } = await run('check', 'config', file);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /nines\.yml:2:\d+: .*services depend on each other in a circle: a → b → c → a/);
});
