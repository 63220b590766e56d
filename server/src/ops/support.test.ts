import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Secret } from '../platform/config/fields.ts';
import { supportBundle } from './support.ts';

test('a support bundle opens with tar, says what it holds, and holds no secret, nobody’s name and no sample', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-support-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'data/documents'), { recursive: true });
  writeFileSync(join(folder, 'data/documents/ab'), 'Canary-document');
  writeFileSync(join(folder, 'data/pages.db'), 'Canary-sample');
  const config = {
    channels: [{ id: 'mail', host: 'smtp.example', password: new Secret('Canary-secret'), to: ['ann.canary@example.org'] }],
    oncall: { people: [{ id: 'ann', name: 'Ann Canary', contacts: [{ sms: '+4930123456' }] }] },
    checks: [{ id: 'c', url: 'https://u:Canary-pass@shop.example/?token=Canary-token', command: ['/bin/x', 'Canary-argument'] }],
  };
  const doctor = {
    dir: folder,
    sound: true,
    findings: [{ severity: 'info', place: 'x', problem: 'mail to ann.canary@example.org and +4930123456', advice: '' }],
  };
  const bundle = await supportBundle({
    version: '1.2.3',
    nowMs: 1_760_000_000_000,
    config,
    dataDir: join(folder, 'data'),
    doctor: doctor as never,
    health: { status: 'ok', components: [{ name: 'store', status: 'ok', detail: 'asked with Canary-secret' }] },
    figures: [{ name: 'nines_x', type: 'gauge', help: 'x', unit: '', samples: [] }],
  });
  writeFileSync(join(folder, 'b.tar.gz'), bundle);
  execFileSync('tar', ['xzf', join(folder, 'b.tar.gz'), '-C', folder]);
  const texts = execFileSync('tar', ['xzOf', join(folder, 'b.tar.gz')], { encoding: 'utf8' });
  const names = execFileSync('tar', ['tzf', join(folder, 'b.tar.gz')], { encoding: 'utf8' })
    .trim()
    .split('\n');
  assert.deepEqual(names, ['README.txt', 'version.json', 'configuration.json', 'doctor.json', 'sizes.json', 'health.json', 'metrics.txt']);
  assert.doesNotMatch(texts, /canary|4930123456|ann\./i);
  assert.match(texts, /"version": "1\.2\.3"[^]*smtp\.example[^]*"path": "pages\.db"[^]*"documents": 1[^]*nines_x/);
  for (const name of names.slice(1)) assert.ok(texts.includes(`  ${name}`), `${name} is explained`);
});

test('attack: a name or a finding of very many characters keeps nobody from a support bundle for hours', async () => {
  const long = 'a'.repeat(200_000);
  const doctor = { dir: '', sound: true, findings: [{ severity: 'info', place: long, problem: `a@${'a.'.repeat(100_000)}1`, advice: '' }] };
  const bundle = await supportBundle({ version: '1', nowMs: 0, config: { id: long }, dataDir: '/nowhere', doctor: doctor as never });
  assert.ok(gunzipSync(bundle).includes(long));
});
