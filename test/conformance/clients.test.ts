import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Nines, freePort, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** Debian's programs as clients of ours: those that ask, and those that send. */
const PROMTOOL = '/usr/bin/promtool';
const VMAGENT = '/usr/bin/vmagent';
const END_S = Math.floor(Date.now() / 1000) - 60;

let nines: Nines;
let prometheus: Prometheus;
const folder = mkdtempSync(join(tmpdir(), 'nines-clients-'));

before(async () => {
  nines = await startNines({ config: 'collect: { host: { enabled: false } }\n' });
  prometheus = await startPrometheus();
  const series = ['a', 'b'].map((instance, n) => ({
    labels: { __name__: 'client_total', job: 'x', instance },
    samples: Array.from({ length: 40 }, (_, i): [number, number] => [(END_S - (39 - i) * 15) * 1000, i * (n + 1)]),
  }));
  const body = new Uint8Array(writeBody(series));
  for (const { base } of [nines, prometheus])
    assert.ok((await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body })).ok);
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const OWN = '{__name__=~"client_.*"}';
const span = [`--start=${END_S - 300}`, `--end=${END_S}`];
const ASKED: readonly (readonly [what: string, command: string, options: readonly string[], more: readonly string[]])[] = [
  ['an instant vector', 'instant', [`--time=${END_S}`], ['sum by (job) (rate(client_total[2m]))']],
  ['a scalar', 'instant', [`--time=${END_S}`], ['1 / 3']],
  ['a range vector', 'instant', [`--time=${END_S - 7}`], ['client_total{instance="a"}[61s]']],
  ['an expression that cannot be parsed', 'instant', [], ['sum(']],
  ['a range', 'range', [...span, '--step=37s'], ['client_total * 2']],
  ['series', 'series', [...span, `--match=${OWN}`], []],
  ['names of labels', 'labels', [...span, `--match=${OWN}`], ['__name__']],
  ['values of a label', 'labels', [...span, `--match=${OWN}`], ['instance']],
];

for (const [what, command, options, more] of ASKED) {
  for (const format of ['promql', 'json']) {
    test(`promtool prints ${what} of ours as of Prometheus (${format})`, () => {
      assert.ok(existsSync(PROMTOOL), 'promtool is missing. Install it with: sudo apt-get install prometheus');
      const [ours, theirs] = [nines, prometheus].map(({ base }) => {
        const { status, stdout, stderr } = spawnSync(PROMTOOL, ['query', command, '-o', format, ...options, base, ...more], {
          encoding: 'utf8',
        });
        return { status, lines: `${stdout}${stderr}`.split('\n').sort() };
      });
      assert.deepEqual(ours, theirs);
      assert.equal(theirs?.status === 0, !what.includes('cannot'), theirs?.lines.join('\n'));
    });
  }
}

test('what vmagent scrapes and sends arrives, and ends when its target is gone', async () => {
  assert.ok(existsSync(VMAGENT), 'vmagent is missing. Install it with: sudo apt-get install victoria-metrics');
  const port = await freePort();
  const own = `127.0.0.1:${port}`;
  const config = join(folder, 'vmagent.yml');
  const scrape = (targets: string): string =>
    `global: { scrape_interval: 1s, external_labels: { agent: vm } }\nscrape_configs: [{ job_name: agent, static_configs: [{ targets: [${targets}] }] }]\n`;
  writeFileSync(config, scrape(`'${own}'`));
  const args = [
    `-promscrape.config=${config}`,
    `-remoteWrite.url=${nines.base}/api/v1/write`,
    `-remoteWrite.tmpDataPath=${join(folder, 'queue')}`,
  ];
  const child = spawn(VMAGENT, [...args, `-httpListenAddr=${own}`, '-remoteWrite.flushInterval=200ms'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    const ask = async (
      query: string,
    ): Promise<readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[]> => {
      const answer = await fetch(`${nines.base}/api/v1/query?${new URLSearchParams({ query })}`);
      const { data } = (await answer.json()) as { readonly data: { readonly result: Awaited<ReturnType<typeof ask>> } };
      return data.result;
    };
    const [up] = await poll('its target to be up', async () => {
      const found = await ask('up{job="agent"} == 1');
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(up?.metric, { __name__: 'up', agent: 'vm', instance: own, job: 'agent' });
    const series = Number((await ask('count({job="agent"})'))[0]?.value[1]);
    assert.ok(series > 100, `${series} series`);
    assert.equal((await ask(`count(count_over_time(vm_app_uptime_seconds{agent="vm"}[1m]) > 0)`))[0]?.value[1], '1');
    writeFileSync(config, scrape(''));
    child.kill('SIGHUP');
    // This vmagent forgets to end one of the series that it makes itself.
    await poll('the series to end', async () => (await ask('{job="agent", __name__!="scrape_timeout_seconds"}')).length === 0);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});
