import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NINES, type Nines, startNines } from '../harness/nines.ts';

const LABEL = 'planted-label-4711';
const SERVICE = 'planted-service-name';
const CONFIG = (encryption: string): string =>
  `${encryption}\nservices:\n  - { id: ${SERVICE}, checks: [{ id: planted-check, kind: tcp, address: '127.0.0.1:1', interval: 1h }] }\n`;

type Files = Readonly<Record<string, Buffer>>;

function filesOf(dir: string): Files {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(dir, name)).isFile());
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(dir, name))]));
}

const withText = (files: Files): readonly string[] => Object.keys(files).filter((name) => files[name]?.includes('planted') === true);

function nines(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(NINES, args, { encoding: 'utf8', timeout: 60_000 });
  return { code: status, out: stdout, err: stderr };
}

test('data are encrypted, keys are made, refused, replaced, and plain data are taken along', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-encryption-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const [first, second] = [join(folder, 'first.key'), join(folder, 'second.key')];
  for (const file of [first, second]) assert.equal(nines('key', 'create', file).code, 0);
  assert.match(nines('key', 'create', first).err, /never written over/);

  /** Not `await using`: that would take the folder away with the process. */
  const start = async (config?: string): Promise<Nines> => {
    const server = await startNines({ folder, ...(config === undefined ? {} : { config }) });
    t.after(() => server.kill());
    return server;
  };
  const atMs = Date.now();
  const push = { metrics: [{ name: 'planted_metric', value: 4711.5, labels: { customer: LABEL }, at_ms: atMs, type: 'gauge' }] };
  const value = async (server: Nines): Promise<unknown> =>
    (await server.get<{ data: { result: { value: [number, string] }[] } }>(`/api/v1/query?query=planted_metric&time=${atMs / 1000}`)).json
      .data.result[0]?.value[1];

  {
    const plain = await start(CONFIG(''));
    assert.equal((await plain.send('POST', '/api/metrics', push)).status, 204);
    assert.match(nines('key', 'encrypt', '--data', data, '--key-file', first).err, /already open.*Stop the server/s);
    await plain.kill();
  }
  assert.ok(withText(filesOf(data)).length >= 2, 'plain files can be searched');
  writeFileSync(join(folder, 'nines.yml'), CONFIG(`encryption: { key_file: first.key }`));
  const refused = nines('serve', '--data', data, '--config', join(folder, 'nines.yml'), '--listen', '127.0.0.1:0');
  assert.deepEqual([refused.code, refused.err.includes('nines key encrypt')], [1, true]);
  const done = nines('key', 'encrypt', '--data', data, '--config', join(folder, 'nines.yml'));
  assert.deepEqual([done.code, done.out], [0, ''], done.err);
  assert.deepEqual(withText(filesOf(data)), []);

  {
    const server = await start();
    assert.equal(await value(server), '4711.5');
    assert.equal((await server.send('POST', '/api/metrics', { metrics: [{ ...push.metrics[0], name: 'planted_second' }] })).status, 204);
    const health = await server.get<{ components: { name: string; detail: string }[] }>('/api/health');
    assert.match(
      health.json.components.find(({ name }) => name === 'encryption')?.detail ?? '',
      /^on: samples and state, AES-256, key [0-9a-f]{16}$/,
    );
    assert.match((await server.get('/metrics')).text, /^nines_store_encrypted 1$/m);
    assert.ok(!(await server.get('/api/config')).text.includes(readFileSync(first, 'utf8').trim()));
    assert.deepEqual(withText(filesOf(data)), [], 'while it runs');
    assert.match(
      nines('key', 'rotate', '--data', data, '--key-file', first, '--new-key-file', second).err,
      /already open.*Stop the server/s,
    );
    const token = nines('token', 'create', '--data', data, '--name', 'n', '--role', 'read-only', '--config', join(folder, 'nines.yml'));
    assert.equal(token.code, 0, token.err);
    await server.kill();
  }
  const before = filesOf(data);
  assert.deepEqual(withText(before), [], 'after a crash');
  const tries: readonly (readonly [string, RegExp])[] = [
    ['encryption: { key_file: second.key }', /second\.key holds the key/],
    ['', /encrypted with the key .* none is configured/],
    ['encryption: { key_env: NOBODY_SET_THIS }', /NOBODY_SET_THIS is not set/],
  ];
  for (const [encryption, words] of tries) {
    writeFileSync(join(folder, 'other.yml'), CONFIG(encryption));
    const { code, err } = nines('serve', '--data', data, '--config', join(folder, 'other.yml'), '--listen', '127.0.0.1:0');
    assert.deepEqual([code, words.test(err)], [1, true], err);
    assert.deepEqual(filesOf(data), before, 'not a byte was touched');
  }

  const rotated = nines('key', 'rotate', '--data', data, '--key-file', first, '--new-key-file', second);
  assert.equal(rotated.code, 0, rotated.err);
  writeFileSync(join(folder, 'nines.yml'), CONFIG('encryption: { key_file: second.key }'));
  const server = await start();
  assert.equal(await value(server), '4711.5');
  assert.equal(
    (await server.get<{ data: { result: unknown[] } }>(`/api/v1/query?query=planted_second&time=${atMs / 1000}`)).json.data.result.length,
    1,
  );
  assert.equal(await server.stop(), 0);
  assert.deepEqual(withText(filesOf(data)), []);
});
