import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { serve } from './testing/serve.ts';
import { openWorld, selfValue } from './testing/world.ts';

test('lines of both versions are stored as measurement_field with their tags, plain and compressed', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const nowMs = clock.now();
  const v1 = await fetch(`${served.base}/write?db=telegraf&precision=s`, {
    method: 'POST',
    body: `cpu,host=a,cpu-no=0 usage.idle=98.5,n=3i,text="x" ${Math.floor(nowMs / 1000)}\n# comment\n\ncpu,host=b up=true`,
  });
  assert.deepEqual([v1.status, await v1.text()], [204, '']);
  const v2 = await fetch(`${served.base}/api/v2/write?org=o&bucket=b&precision=ns`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain; charset=utf-8' },
    body: new Uint8Array(gzipSync(`cpu,host=c n=4u ${nowMs}999999\n`)),
  });
  assert.equal(v2.status, 204);
  assert.deepEqual(await world.samplesOf('cpu_usage_idle'), [
    `cpu_usage_idle{cpu_no="0", db="telegraf", host="a"} 98.5@${Math.floor(nowMs / 1000) * 1000}`,
  ]);
  assert.deepEqual(await world.samplesOf('cpu_up'), [`cpu_up{db="telegraf", host="b"} 1@${nowMs}`]);
  assert.equal((await world.samplesOf('cpu_n')).length, 2);
  assert.ok((await world.samplesOf('cpu_n')).includes(`cpu_n{db="b", host="c"} 4@${nowMs}`));
  assert.equal(selfValue(world.self, 'nines_influx_strings_total'), 1);
});

test('bad lines and refused samples are named by their line, the others are stored', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const ahead = clock.now() + 3_600_000;
  const body = `good v=1\nbad\ngood2 v=2\nahead v=1 ${ahead}\n`;
  const v1 = await fetch(`${served.base}/write?precision=ms`, { method: 'POST', body });
  const { error } = (await v1.json()) as { readonly error: string };
  assert.equal(v1.status, 400);
  assert.match(error, /partial write: 2 samples are stored, 2 lines .*line 2: missing fields; line 4: ahead_v: /);
  assert.equal((await world.samplesOf('good2_v')).length, 1);
  const v2 = await fetch(`${served.base}/api/v2/write`, { method: 'POST', body: 'bad' });
  assert.deepEqual([v2.status, ((await v2.json()) as { readonly code: string }).code], [400, 'invalid']);
  assert.equal((await fetch(`${served.base}/write?precision=weeks`, { method: 'POST', body: 'm v=1' })).status, 400);
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 * 1024, '#')));
  assert.equal((await fetch(`${served.base}/write`, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: bomb })).status, 413);
});
