import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

const CONFIG = `backups: { to: backups, every: 24h, keep: 30d }
collect: { host: { enabled: false } }
services: [{ id: gone, checks: [{ id: gone-tcp, kind: tcp, address: 127.0.0.1:1, interval: 1s, confirm: { n: 1, of: 1 } }] }]
`;
const SERIES = 200;

type Report = { sound: boolean; findings: { severity: string; place: string; problem: string; advice: string }[] };
type Vector = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };
type Run = { id: string; status: string; dir: string; verified: boolean | null; error: string | null; finished_at_ms: number | null };

const nines = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(NINES, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};

const send = async (server: Nines, sequence: number, atMs: number): Promise<void> => {
  const series = Array.from({ length: SERIES }, (_, i) => ({
    labels: { __name__: 'kept', i: String(i) },
    samples: [[atMs, sequence + i]] as const,
  }));
  assert.equal((await server.send('POST', '/api/v1/write', writeBody(series), WRITE_HEADERS)).status, 204);
};

/** Every sample of `kept` up to `untilMs`, as one text. */
const kept = async (server: Nines, fromMs: number, untilMs: number): Promise<string> => {
  const range = Math.ceil((untilMs - fromMs) / 1000) + 1;
  const { json } = await server.get<Vector>(`/api/v1/query?query=kept[${range}s]&time=${untilMs / 1000}`);
  return JSON.stringify(json.data.result.map(({ metric, values }) => [metric['i'], values]).sort((a, b) => Number(a[0]) - Number(b[0])));
};

const ledger = async (server: Nines): Promise<string> => (await server.get('/api/downtime')).text;

test('a backup under load is sound, and restored it holds every sample, downtime and alert of its instant', {
  timeout: 300_000,
}, async () => {
  await using server = await startNines({ config: CONFIG });
  const { folder } = server;
  // Not below an hour, the window in which late samples are taken.
  const fromMs = Math.floor(Date.now() / 1000) * 1000 - 1_200_000;
  let sequence = 0;
  for (; sequence < 100; sequence++) await send(server, sequence, fromMs + sequence * 1_000);
  const untilMs = fromMs + (sequence - 1) * 1_000;
  await poll('the downtime to be known', async () => (await ledger(server)).includes('gone'));

  // The first scheduled backup is made at the start and verified.
  const scheduled = await poll('the scheduled backup', async () => {
    const { json } = await server.get<{ runs: Run[] }>('/api/backups');
    return json.runs.find(({ finished_at_ms }) => finished_at_ms !== null);
  });
  assert.deepEqual([scheduled.status, scheduled.verified], ['done', true], scheduled.error ?? '');

  const before = {
    samples: await kept(server, fromMs, untilMs),
    alerts: (await server.get<{ items: { id: string }[] }>('/api/alerts')).json,
  };
  let running = true;
  const load = (async () => {
    for (; running; sequence++) await send(server, sequence, fromMs + sequence * 1_000);
  })();
  const to = join(folder, 'b');
  const started = await server.send<Run>('POST', '/api/backups', { to });
  assert.equal(started.status, 202, started.text);
  const done = await poll('the backup', async () => {
    const { json } = await server.get<Run>(`/api/backups/${started.json.id}`);
    return json.finished_at_ms === null ? undefined : json;
  });
  running = false;
  await load;
  assert.equal(done.status, 'done', done.error ?? '');
  assert.equal((await server.send('POST', '/api/backups', { to })).status, 202, 'refused later: the run says why');
  assert.match((await server.get('/metrics')).text, /nines_backup_runs_total\{outcome="done"\} 2/);

  const verified = nines('backup', 'verify', to, '--json');
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  const again = join(folder, 'again');
  mkdirSync(again);
  const restored = nines('restore', '--from', to, '--data', join(again, 'data'));
  assert.equal(restored.status, 0, restored.stderr);
  assert.equal(nines('doctor', '--data', join(again, 'data')).status, 0);
  {
    writeFileSync(join(again, 'nines.yml'), CONFIG.replace('backups: { to: backups, every: 24h, keep: 30d }', ''));
    await using second = await startNines({ folder: again });
    assert.equal(await kept(second, fromMs, untilMs), before.samples);
    assert.match(await ledger(second), /gone/);
    const alerts = (await second.get<{ items: { id: string }[] }>('/api/alerts')).json;
    for (const { id } of before.alerts.items)
      assert.ok(
        alerts.items.some((alert) => alert.id === id),
        `alert ${id}`,
      );
  }
});

test('damage is named with its place and exit code; half a restore does not start; a served directory is left alone', {
  timeout: 300_000,
}, async () => {
  const server = await startNines({ config: CONFIG.replace(/^backups.*\n/, '') });
  const { folder, dataDir } = server;
  try {
    const fromMs = Date.now() - 600_000;
    for (let i = 0; i < 20; i++) await send(server, i, fromMs + i * 1_000);
    const inUse = nines('restore', '--from', folder, '--data', dataDir, '--force');
    assert.deepEqual([inUse.status, /is not a backup/.test(inUse.stderr)], [1, true], inUse.stderr);
    const beside = nines('backup', '--to', join(folder, 'b'), '--data', dataDir);
    assert.match(beside.stderr, /Leave out --data/);
    const online = await server.send<Report>('POST', '/api/doctor', {});
    assert.deepEqual([online.status, online.json.sound], [200, true], online.text);
    await server.stop();

    assert.equal(nines('backup', '--to', join(folder, 'b'), '--data', dataDir).status, 0);
    const log = readdirSync(join(dataDir, 'tsdb')).find(
      (name) => name.startsWith('log-') && statSync(join(dataDir, 'tsdb', name)).size > 10_000,
    );
    assert.ok(log !== undefined);
    for (const file of [join(dataDir, 'tsdb', log), join(folder, 'b', 'tsdb', log)]) {
      const bytes = readFileSync(file);
      bytes[4_000] = (bytes[4_000] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    }
    const examined = nines('doctor', '--data', dataDir, '--json');
    assert.equal(examined.status, 1, examined.stdout + examined.stderr);
    const { findings } = JSON.parse(examined.stdout) as Report;
    assert.match(findings.find(({ severity }) => severity === 'damage')?.place ?? '', new RegExp(`^tsdb/${log}:\\d+-\\d+$`));
    const verified = nines('backup', 'verify', join(folder, 'b'));
    assert.equal(verified.status, 1);
    assert.match(verified.stdout, new RegExp(`damage: tsdb/${log}: is damaged`));
    const half = nines('restore', '--from', join(folder, 'b'), '--data', join(folder, 'half', 'data'));
    assert.deepEqual([half.status, /is damaged/.test(half.stderr)], [1, true], half.stderr);
    await assert.rejects(startNines({ folder: join(folder, 'half') }), /did not finish/);
    assert.equal(nines('doctor', '--data', join(folder, 'nowhere')).status, 2);
    assert.equal(nines('backup', 'verify', folder).status, 2);
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('after a crash a damaged write-ahead file is named, and no server starts empty beside what waits for a database that is gone', {
  timeout: 120_000,
}, async () => {
  const server = await startNines({ config: CONFIG.replace(/^backups.*\n/, '') });
  const { folder, dataDir } = server;
  try {
    await send(server, 0, Date.now() - 10_000);
    // Several transactions, so that the damage is not taken for the end that a crash cut off.
    for (const name of ['one', 'two', 'three']) {
      const made = await server.send('POST', '/api/tokens', { name, role: 'read-only' });
      assert.equal(made.status, 201);
    }
    await server.kill();
    assert.equal(nines('doctor', '--data', dataDir).status, 0);
    const stateWal = join(dataDir, 'state/nines.db-wal');
    const sound = readFileSync(stateWal);
    const flipped = Buffer.from(sound);
    flipped.writeUInt8(flipped.readUInt8(100) ^ 1, 100);
    writeFileSync(stateWal, flipped);
    const examined = nines('doctor', '--data', dataDir);
    assert.equal(examined.status, 1, examined.stdout + examined.stderr);
    assert.match(examined.stdout, /damage: state\/nines\.db-wal: frame 1 is damaged; \d+ transactions behind it cannot be read/);
    writeFileSync(stateWal, sound);

    for (const name of ['tsdb/pages.db', 'state/nines.db']) {
      const file = join(dataDir, name);
      const bytes = readFileSync(file);
      rmSync(file);
      await assert.rejects(startNines({ folder }), /missing or empty, and .*-wal beside it holds \d+ bytes/);
      assert.equal(nines('doctor', '--data', dataDir).status, 1);
      writeFileSync(file, bytes);
      assert.equal(nines('doctor', '--data', dataDir).status, 0);
    }
    const again = await startNines({ folder });
    await again.kill();
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
