import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { NINES, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

type Ended = { readonly code: number | null; readonly output: string };

/** Runs a command that must end by itself; what it wrote to both streams, log lines left out. */
async function ends(...args: readonly string[]): Promise<Ended> {
  const child = spawn(NINES, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output.replaceAll(/^\{.*\}\n/gm, '') };
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nines-bad-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('a server that cannot start', () => {
  it('says in one sentence that the port is in use, and that the host is no name of any address', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const data = join(folder(t), 'data');
    const used = await ends('serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--insecure-no-auth');
    assert.equal(used.code, 1);
    assert.match(used.output, /^nines: 127\.0\.0\.1:\d+ is in use by another program\. [^\n]*\n$/);
    const unknown = await ends('serve', '--data', data, '--listen', 'nowhere.invalid:7070');
    assert.equal(unknown.code, 1);
    assert.match(unknown.output, /^nines: nowhere\.invalid is not a known name\. [^\n]*\n$/);
  });

  it('says in one sentence which directory cannot be used, or is held by another process', async (t) => {
    const path = folder(t);
    writeFileSync(join(path, 'file'), 'x');
    const args = ['--listen', '127.0.0.1:0', '--insecure-no-auth'];
    const file = await ends('serve', '--data', join(path, 'file'), ...args);
    assert.deepEqual([file.code, file.output.split('\n').length], [1, 2], file.output);
    assert.match(file.output, /^nines: cannot use the directory /);
    const empty = await ends('serve', '--data', '', ...args);
    assert.deepEqual(empty, { code: 2, output: '--data: write a directory, for example --data ./data\n' });
    await using nines = await startNines();
    const held = await ends('serve', '--data', nines.dataDir, ...args);
    assert.deepEqual([held.code, held.output.split('\n').length], [1, 2], held.output);
  });

  it('names the file when the pages are damaged beyond opening, and starts without them once they are moved away', async (t) => {
    const path = folder(t);
    const first = await startNines({ folder: path });
    await first.stop();
    const pages = join(path, 'data/tsdb/pages.db');
    truncateSync(pages, 5_000);
    const refused = await ends('serve', '--data', join(path, 'data'), '--listen', '127.0.0.1:0', '--insecure-no-auth');
    assert.equal(refused.code, 1);
    assert.match(refused.output, /^nines: \S+pages\.db is damaged \([^\n]*\)\. Restore it from a backup, [^\n]*\n$/);
    for (const name of readdirSync(join(path, 'data/tsdb'))) if (name.startsWith('pages.db')) rmSync(join(path, 'data/tsdb', name));
    await using again = await startNines({ folder: path });
    assert.equal((await again.get('/-/ready')).status, 200);
  });
});

describe('check config', () => {
  it('places what could only fail later: an address of no database, headers that cannot be sent, a rule file without an end', async (t) => {
    const path = folder(t);
    const file = join(path, 'nines.yml');
    const check = (header: string): string =>
      `services: [{ id: a, checks: [{ id: b, kind: http, url: http://h/, headers: { ${header} } }] }]\n`;
    const cases = [
      ['state: { kind: postgresql, url: s3cret }\n', /^nines\.yml:1:\d+: state\.url: write postgresql:[^\n]*\n$/],
      [check('"a b": s3cret'), /^nines\.yml:1:\d+: services\[0\]\.checks\[0\]\.headers\.a b: not a header name[^\n]*\n$/],
      [check('a: "s3cret\\r\\nb: c"'), /^nines\.yml:1:\d+: [^\n]*a header value is one line[^\n]*\n$/],
      ['rules: { files: [/dev/zero] }\n', /^\/dev\/zero:1:1: cannot read the rule file: it is not a regular file\n$/],
      ['scrape: { files: [/dev/zero] }\n', /^\/dev\/zero:1:1: cannot read the configuration: it is not a regular file\n$/],
    ] as const;
    for (const [text, want] of cases) {
      writeFileSync(file, text);
      const { code, output } = await ends('check', 'config', file);
      assert.equal(code, 2, output);
      assert.match(output.replace(`${path}/`, ''), want);
      assert.ok(!output.includes('s3cret'), output);
    }
  });
});

describe('a reload', () => {
  it('keeps the old configuration when the new one is bad, by request and by signal', async () => {
    const service = (id: string): string => `services:\n  - { id: ${id}, name: Shop }\n`;
    await using nines = await startNines({ config: service('shop') });
    const services = async (): Promise<readonly string[]> =>
      (await nines.get<{ items: { id: string }[] }>('/api/services')).json.items.map(({ id }) => id);
    for (const bad of ['services: [', 'services:\n  - { id: a/b }\n', 'rules: { files: [/dev/zero] }\n']) {
      writeFileSync(join(nines.folder, 'nines.yml'), bad);
      const refused = await nines.send<{ detail: string }>('POST', '/-/reload');
      assert.equal(refused.status, 400, refused.text);
      assert.match(refused.text, /:\d+:\d+: /);
      assert.deepEqual(await services(), ['shop']);
    }
    const before = nines.output().length;
    nines.child.kill('SIGHUP');
    await poll('the refusal in the log', () => /not a regular file/.test(nines.output().slice(before)));
    assert.deepEqual(await services(), ['shop']);
    writeFileSync(join(nines.folder, 'nines.yml'), service('store'));
    assert.equal((await nines.send('POST', '/-/reload')).status, 200);
    assert.deepEqual(await services(), ['store']);
  });
});
