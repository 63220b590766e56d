import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** A real file system of a few megabytes. Needs the right to mount; without it these tests fail and say so. */
const CONFIG = `collect: { host: { enabled: false } }
services: [{ id: shop }]
status_pages: [{ id: public, title: Shop status, services: [shop] }]
`;
const SIZE_MB = 12;
const SERIES = 500;

const mount = (...args: string[]): void => {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  assert.equal(status, 0, `mount ${args.join(' ')}: ${stderr} (this test needs root to make a small disk)`);
};

async function onSmallDisk(t: TestContext): Promise<{ server: Nines; disk: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'nines-disk-'));
  const disk = join(folder, 'data');
  mkdirSync(disk);
  t.after(() => {
    spawnSync('umount', ['--lazy', disk]);
    rmSync(folder, { recursive: true, force: true });
  });
  mount('-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', disk);
  const server = await startNines({ folder, config: CONFIG });
  t.after(() => server.kill());
  return { server, disk };
}

const write = (server: Nines, sequence: number, fromMs: number) =>
  server.send(
    'POST',
    '/api/v1/write',
    writeBody(
      Array.from({ length: SERIES }, (_, i) => ({
        labels: { __name__: 'kept', i: String(i) },
        samples: [[fromMs + sequence * 1_000, Math.sin(sequence * i)]] as const,
      })),
    ),
    WRITE_HEADERS,
  );

/** Every acknowledged sample is there, and none that was refused is missing from the count of one series. */
async function check(server: Nines, acknowledged: ReadonlySet<number>, fromMs: number): Promise<void> {
  const last = Math.max(...acknowledged);
  const { json } = await server.get<{ data: { result: { values: [number, string][] }[] } }>(
    `/api/v1/query?query=kept[${last + 2}s]&time=${(fromMs + last * 1_000) / 1000}`,
  );
  assert.equal(json.data.result.length, SERIES);
  for (const { values } of json.data.result) {
    const there = new Set(values.map(([at]) => Math.round((at * 1000 - fromMs) / 1000)));
    for (const sequence of acknowledged) assert.ok(there.has(sequence), `sample ${sequence} was acknowledged and is gone`);
  }
}

test('a full disk refuses with 503 and Retry-After, loses nothing acknowledged, and takes samples again when there is space', {
  timeout: 300_000,
}, async (t) => {
  const { server, disk } = await onSmallDisk(t);
  const fromMs = Math.floor(Date.now() / 1000) * 1000 - 1_800_000;
  const acknowledged = new Set<number>();
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(6 * 1024 * 1024));
  let sequence = 0;
  let refused: Awaited<ReturnType<typeof write>> | undefined;
  for (; sequence < 1_700 && refused === undefined; sequence++) {
    const answer = await write(server, sequence, fromMs);
    if (answer.status === 204) acknowledged.add(sequence);
    else refused = answer;
  }
  assert.equal(refused?.status, 503, refused?.text ?? 'the disk never became full');
  assert.ok(Number(refused?.headers.get('retry-after')) >= 1);
  assert.match(refused?.text ?? '', /disk is full/);
  await check(server, acknowledged, fromMs);
  assert.equal((await server.get('/-/healthy')).status, 200);
  // Customers see the last known state all the same.
  assert.match((await server.get('/status/public')).text, /The state of shop is not known/);

  rmSync(join(disk, 'ballast'));
  await poll('samples to be taken again', async () => {
    const answer = await write(server, sequence, fromMs);
    if (answer.status === 204) acknowledged.add(sequence++);
    return answer.status === 204;
  });
  await check(server, acknowledged, fromMs);
  await server.kill();
  const again = await startNines({ folder: server.folder, port: server.port });
  t.after(() => again.kill());
  await check(again, acknowledged, fromMs);
});
