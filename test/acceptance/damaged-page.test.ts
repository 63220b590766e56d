import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { startNines } from '../harness/nines.ts';

const CONFIG = 'collect: { host: { enabled: false } }\n';
const SERIES = 5;
const HOURS = 12;
const MINUTE_S = 60;

type QueryAnswer = {
  readonly status: string;
  readonly warnings?: readonly string[];
  readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[] };
};

/** Flips a bit in the middle of the page with the median id and tells how many samples it held. */
function damageOnePage(file: string): number {
  const db = new Database(file);
  try {
    const pages = db.prepare('SELECT id, samples, data FROM pages WHERE resolution_ms = 0 ORDER BY id').all() as readonly {
      readonly id: number;
      readonly samples: number;
      readonly data: Buffer;
    }[];
    const page = pages[pages.length >> 1];
    assert.ok(page !== undefined && pages.length >= 3, `${pages.length} pages`);
    const middle = page.data.length >> 1;
    page.data.writeUInt8(page.data.readUInt8(middle) ^ 1, middle);
    db.prepare('UPDATE pages SET data = ? WHERE id = ?').run(page.data, page.id);
    return page.samples;
  } finally {
    db.close();
  }
}

test('over a damaged page PromQL answers with the rest and a warning, health and doctor name it', { timeout: 120_000 }, async () => {
  const server = await startNines({ config: CONFIG });
  const { folder, dataDir } = server;
  try {
    const endS = Math.floor(Date.now() / 1000 / MINUTE_S) * MINUTE_S - 6 * 3600;
    const lines: string[] = ['# TYPE kept gauge'];
    for (let i = 0; i < SERIES; i++)
      for (let atS = endS - HOURS * 3600; atS < endS; atS += MINUTE_S) lines.push(`kept{i="${i}"} ${Math.sin(atS * i)} ${atS}`);
    const imported = await server.send('POST', '/api/import?format=openmetrics', `${lines.join('\n')}\n# EOF\n`);
    assert.equal(imported.status, 200, imported.text);
    await server.stop();
    const lost = damageOnePage(join(dataDir, 'tsdb', 'pages.db'));

    const again = await startNines({ folder, port: server.port });
    try {
      const query = encodeURIComponent(`sum(count_over_time(kept[${HOURS + 1}h]))`);
      const { status, json, text } = await again.get<QueryAnswer>(`/api/v1/query?query=${query}&time=${endS}`);
      assert.deepEqual([status, json.status], [200, 'success'], text);
      assert.ok(lost > 0 && lost < SERIES * HOURS * 60);
      assert.equal(Number(json.data.result[0]?.value[1]), SERIES * HOURS * 60 - lost);
      assert.match(json.warnings?.join() ?? '', /damaged/, text);
      const health = await again.get<{ components: { name: string; status: string; detail: string }[] }>('/api/health');
      const store = health.json.components.find(({ name }) => name === 'store');
      assert.equal(store?.status, 'degraded', health.text);
      const doctor = await again.send<{ sound: boolean; findings: { severity: string; place: string; problem: string }[] }>(
        'POST',
        '/api/doctor',
        {},
      );
      const [finding] = doctor.json.findings.filter(({ severity }) => severity === 'damage');
      assert.match(`${finding?.place}: ${finding?.problem}`, new RegExp(`^tsdb/pages\\.db page \\d+: .*: ${lost} samples of kept from `));
    } finally {
      await again.kill();
    }
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
