import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseExposition } from '@nines/model/exposition.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { WRITE_HEADERS, type WrittenSeries, writeBody } from '../harness/remote-write.ts';

/** A real Prometheus that holds the same samples as we do, and others that read ours. */
const STEP_MS = 15_000;
const SAMPLES = 400;

let nines: Nines;
let prometheus: Prometheus;
let endMs = 0;

/** Counters, gauges with fractions, special values, and a series that ended ten minutes ago. */
function makeSeries(fromMs: number): WrittenSeries[] {
  const at = (next: (i: number) => number, count = SAMPLES): [number, number][] =>
    Array.from({ length: count }, (_, i) => [fromMs + i * STEP_MS + (i % 3), next(i)]);
  return [
    ...['a', 'b'].map((instance) => ({ labels: { __name__: 'peer_total', job: 'x', instance }, samples: at((i) => i * 7) })),
    { labels: { __name__: 'peer_gauge', job: 'x', text: 'a"b\\c\nd', zone: 'ü' }, samples: at((i) => Math.sin(i) * 1e6) },
    { labels: { __name__: 'peer_constant', job: 'y' }, samples: at(() => 42) },
    { labels: { __name__: 'peer_infinite', job: 'y' }, samples: at((i) => (i % 2 === 0 ? Number.POSITIVE_INFINITY : -0)) },
    { labels: { __name__: 'peer_ended', job: 'y' }, samples: at((i) => i, SAMPLES - 40) },
  ];
}

before(async () => {
  const nowMs = Date.now();
  endMs = nowMs - 5_000;
  const series = makeSeries(endMs - (SAMPLES - 1) * STEP_MS);
  // One after the other: what has started is ended when the other does not.
  nines = await startNines({ config: 'collect: { host: { enabled: false } }\n' });
  prometheus = await startPrometheus();
  for (const base of [nines.base, prometheus.base]) {
    const answer = await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body: new Uint8Array(writeBody(series)) });
    assert.equal(answer.status, 204, await answer.text());
  }
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
});

const federated = async (base: string, matches: readonly string[], accept: string): Promise<string> => {
  const params = new URLSearchParams(matches.map((match): [string, string] => ['match[]', match]));
  const answer = await fetch(`${base}/federate?${params}`, { headers: { accept } });
  assert.equal(answer.status, 200);
  return answer.text();
};

/** Numbers are written in more than one way: Go turns to an exponent at a million. */
const numbered = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) =>
      line.replace(
        / ([^ ]+) ([0-9.e+]+)$/,
        (_, value: string, stamp: string) => ` ${value.endsWith('Inf') ? value : Number(value)} ${Number(stamp)}`,
      ),
    );

test('what is offered for federation is what Prometheus offers of the same samples', async () => {
  for (const matches of [['{__name__=~"peer_.*"}'], ['peer_gauge', '{job="x"}', 'peer_constant{job=~"y|z"}'], ['nothing_like_it'], []]) {
    const [ours, theirs] = await Promise.all([nines, prometheus].map(({ base }) => federated(base, matches, 'text/plain')));
    assert.deepEqual(numbered(ours ?? ''), numbered(theirs ?? ''), matches.join(' '));
  }
  // Debian's Prometheus offers text alone; Prometheus 3 offers this too.
  const openMetrics = parseExposition(
    await federated(nines.base, ['peer_total'], 'application/openmetrics-text;version=1.0.0'),
    'openmetrics',
  );
  assert.deepEqual(openMetrics.ok && openMetrics.value.samples.map(({ value, atMs }) => [value, atMs]), [
    [2793, endMs + ((SAMPLES - 1) % 3)],
    [2793, endMs + ((SAMPLES - 1) % 3)],
  ]);
  assert.match(await federated(nines.base, ['peer_constant'], 'text/plain'), /peer_constant\{job="y",instance=""\} 42 \d+\n$/);
  assert.doesNotMatch(await federated(nines.base, ['{job="y"}'], 'text/plain'), /peer_ended/);
  const bad = await fetch(`${nines.base}/federate?match[]=sum(up)`);
  assert.deepEqual([bad.status, bad.headers.get('content-type')?.startsWith('text/plain')], [400, true]);
});

type Answer = {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly values: readonly (readonly [number, string])[] }[];
  };
};

async function range(base: string, query: string): Promise<Answer['data']['result']> {
  const params = new URLSearchParams({ query, start: String((endMs - SAMPLES * STEP_MS) / 1000), end: String(endMs / 1000), step: '61' });
  const answer = await fetch(`${base}/api/v1/query_range?${params}`);
  assert.equal(answer.status, 200);
  const { data } = (await answer.json()) as Answer;
  return [...data.result].sort((a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1));
}

test('a Prometheus that reads from us answers as one that has the samples itself', async () => {
  await using reader = await startPrometheus({
    config: `global: { scrape_interval: 1h }\nremote_read: [{ url: '${nines.base}/api/v1/read', read_recent: true }]\n`,
  });
  for (const query of [
    '{__name__=~"peer_.*"}',
    'rate(peer_total[5m])',
    'sum by (job) (peer_total)',
    'max_over_time(peer_gauge[10m])',
    'peer_gauge{zone!~"a.*"}',
  ]) {
    const [read, own] = await Promise.all([range(reader.base, query), range(prometheus.base, query)]);
    assert.ok(own.length > 0, query);
    assert.deepEqual(read, own, query);
  }
  const series = (await (await fetch(`${reader.base}/api/v1/series?match[]=peer_gauge`)).json()) as { readonly data: unknown };
  assert.deepEqual(series.data, [{ __name__: 'peer_gauge', job: 'x', text: 'a"b\\c\nd', zone: 'ü' }]);
});

test('a Prometheus that federates from us stores our samples at our instants', async () => {
  const target = `{ job_name: ours, honor_labels: true, metrics_path: /federate, params: { 'match[]': ['{__name__=~"peer_.*"}'] }, scrape_interval: 300ms, scrape_timeout: 300ms, static_configs: [{ targets: ['127.0.0.1:${nines.port}'] }] }`;
  await using scraping = await startPrometheus({ config: `scrape_configs: [${target}]\n` });
  await poll('a federated scrape', async () => {
    const { data } = (await (await fetch(`${scraping.base}/api/v1/query?query=up`)).json()) as {
      readonly data: { readonly result: readonly { readonly value: [number, string] }[] };
    };
    return data.result[0]?.value[1] === '1';
  });
  const instant = async (base: string): Promise<unknown> => {
    const answer = await fetch(`${base}/api/v1/query?query=${encodeURIComponent('{__name__=~"peer_.*"}[3m]')}`);
    const { data } = (await answer.json()) as Answer;
    return new Map(data.result.map(({ metric, values }) => [JSON.stringify(metric), values.at(-1)]));
  };
  assert.deepEqual(await instant(scraping.base), await instant(prometheus.base));
});

test('external labels stand in what others read where Prometheus puts them, and are no part of what is stored', async () => {
  const external = "{ region: eu, job: outer, zone: first, __replica__: '1' }";
  await using ours = await startNines({
    config: 'collect: { host: { enabled: false } }\nscrape: { files: [prometheus.yml] }\n',
    files: { 'prometheus.yml': `global: { external_labels: ${external} }\n` },
  });
  await using theirs = await startPrometheus({ config: `global: { scrape_interval: 1h, external_labels: ${external} }\n` });
  const bases = [ours.base, theirs.base];
  const body = new Uint8Array(writeBody(makeSeries(endMs - (SAMPLES - 1) * STEP_MS)));
  for (const base of bases) assert.ok((await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body })).ok);
  const [federatedOurs, federatedTheirs] = await Promise.all(bases.map((base) => federated(base, ['{__name__=~"peer_.*"}'], 'text/plain')));
  assert.deepEqual(numbered(federatedOurs ?? ''), numbered(federatedTheirs ?? ''));
  assert.match(federatedOurs ?? '', /zone="ü",__replica__="1",instance="",region="eu"\}/);
  const reading = (base: string) =>
    startPrometheus({ config: `global: { scrape_interval: 1h }\nremote_read: [{ url: '${base}/api/v1/read', read_recent: true }]\n` });
  await using readsOurs = await reading(ours.base);
  await using readsTheirs = await reading(theirs.base);
  for (const query of [
    '{__name__=~"peer_.*"}',
    'peer_gauge{region="eu"}',
    'peer_total{region="eu", zone="first"}',
    'peer_gauge{region="us"}',
  ]) {
    const [a, b] = await Promise.all([readsOurs, readsTheirs].map(({ base }) => range(base, query)));
    // Go leaves a zero out of a message whatever its sign; we say it.
    assert.equal(JSON.stringify(a).replaceAll('"-0"', '"0"'), JSON.stringify(b), query);
    assert.equal(b?.length === 0, query.includes('"us"'), query);
  }
  assert.deepEqual(await range(ours.base, 'peer_gauge{region="eu"}'), []);
});
