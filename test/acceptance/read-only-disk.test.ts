import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** A real ext4 in a file. Needs the right to mount, and a loop device; without them these tests fail and say so. */
const CONFIG = 'collect: { host: { enabled: false } }\n';
const SIZE_MB = 96;

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  const reason = error?.message ?? stderr;
  assert.equal(
    status,
    0,
    `${command} ${args.join(' ')}: ${reason} (this test needs root, ext4 and a loop device to make a disk read-only)`,
  );
  return stdout.trim();
}

function diskIn(t: TestContext, folder: string): { readonly dir: string; readonly mount: () => void; readonly unmount: () => void } {
  const [image, dir] = [join(folder, 'disk.img'), join(folder, 'data')];
  mkdirSync(dir);
  writeFileSync(image, Buffer.alloc(SIZE_MB * 1024 * 1024));
  run('mkfs.ext4', '-q', '-F', image);
  const mount = (): void => void run('mount', '-o', 'loop,errors=remount-ro', image, dir);
  t.after(() => {
    spawnSync('umount', ['--lazy', dir]);
    rmSync(folder, { recursive: true, force: true });
  });
  mount();
  return { dir, mount, unmount: () => void run('umount', dir) };
}

const write = (server: Nines, atMs: number) =>
  server.send('POST', '/api/v1/write', writeBody([{ labels: { __name__: 'kept' }, samples: [[atMs, atMs]] }]), WRITE_HEADERS);

async function refusedAs503(server: Nines, atMs: number): Promise<void> {
  const refused = await write(server, atMs);
  assert.equal(refused.status, 503, refused.text);
  assert.match(refused.text, /cannot be written/);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
}

async function instantsOf(server: Nines, fromMs: number, toMs: number): Promise<readonly number[]> {
  const query = `/api/v1/query?query=kept[${Math.ceil((toMs - fromMs) / 1000) + 1}s]&time=${toMs / 1000}`;
  const { json, text } = await server.get<{ data: { result: { values: [number, string][] }[] } }>(query);
  assert.equal(json?.data?.result.length, 1, text);
  return json.data.result[0]?.values.map(([at]) => Math.round(at * 1000)) ?? [];
}

test('a disk that becomes read-only refuses with 503 and Retry-After, answers queries, and loses nothing acknowledged', {
  timeout: 120_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-read-only-'));
  const disk = diskIn(t, folder);
  const server = await startNines({ folder, config: CONFIG });
  t.after(() => server.kill());
  const fromMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
  const acknowledged: number[] = [];
  let atMs = fromMs;
  const take = async (): Promise<boolean> => {
    const { status } = await write(server, atMs);
    if (status === 204) acknowledged.push(atMs);
    atMs += 1000;
    return status === 204;
  };
  for (let i = 0; i < 50; i++) assert.ok(await take());

  // Files that are open as well: the kernel refuses to write to an immutable one.
  run('chattr', '-R', '+i', join(disk.dir, 'tsdb'));
  t.after(() => spawnSync('chattr', ['-R', '-i', join(disk.dir, 'tsdb')]));
  await refusedAs503(server, atMs);
  assert.deepEqual(await instantsOf(server, fromMs, atMs), acknowledged);
  assert.equal((await server.get('/-/healthy')).status, 200);
  run('chattr', '-R', '-i', join(disk.dir, 'tsdb'));
  await poll('samples to be taken again', take);

  // What an error of the medium does to a mounted ext4; it stays so until it is mounted anew.
  const device = basename(run('findmnt', '-no', 'SOURCE', disk.dir));
  writeFileSync(join('/sys/fs/ext4', device, 'trigger_fs_error'), '1');
  await refusedAs503(server, atMs);
  assert.deepEqual(await instantsOf(server, fromMs, atMs), acknowledged);
  assert.equal((await server.get('/-/healthy')).status, 200);

  await server.kill();
  disk.unmount();
  disk.mount();
  const again = await startNines({ folder, port: server.port });
  t.after(() => again.kill());
  assert.deepEqual(await instantsOf(again, fromMs, atMs), acknowledged);
  assert.equal((await write(again, atMs)).status, 204);
});
