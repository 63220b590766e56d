import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { encodeWriteRequest2 } from '@nines/model/testing/remote-write-encoder.ts';
import { makeSecret } from '../../server/src/tokens/secret.ts';
import { poll } from '../harness/poll.ts';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** Whoever may only see the team quokka sends samples, alerts and signals in every manner there is. */
let nines: Nines;
let administrator: Record<string, string>;
let sender: Record<string, string>;
/** May write for two teams, so that it must say for which. */
let ofBoth: Record<string, string>;
let reader: Record<string, string>;

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

const ROUTING = `
channels: [{ id: chat, kind: log }]
routing:
  tree: { receiver: everyone }
  receivers: [{ name: everyone, channels: [chat] }]
`;

before(async () => {
  const services = ['quokka', 'zebra'].map(
    (team) => `
  - { id: ${team}-api, name: ${team}, team: ${team}, checks: [{ id: ${team}-job, kind: heartbeat, period: 1h, grace: 1h }] }`,
  );
  nines = await startNines({ config: `services:${services.join('')}\n${ROUTING}`, args: [] });
  const made = execFileSync(NINES, ['token', 'create', '--data', nines.dataDir, '--name', 'all', '--role', 'administrator'], {
    encoding: 'utf8',
  });
  administrator = bearer(/nines_\S+/.exec(made)?.[0] ?? assert.fail(made));
  const tokenOf = async (name: string, role: string, teams: readonly string[]): Promise<Record<string, string>> => {
    const answer = await nines.send<{ token: string }>('POST', '/api/tokens', { name, role, teams }, administrator);
    assert.equal(answer.status, 201, answer.text);
    return bearer(answer.json.token);
  };
  sender = await tokenOf('sender', 'ingest', ['quokka']);
  ofBoth = await tokenOf('both', 'ingest', ['quokka', 'zebra']);
  reader = await tokenOf('reader', 'read-only', ['quokka']);
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
});

type Labels = Readonly<Record<string, string>>;
type Answer = { readonly status: number; readonly text: string };
type Way = (name: string, labels: Labels, headers: Record<string, string>) => Promise<Answer>;

const now = Date.now();
const text = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
const tags = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `,${name}=${value}`)
    .join('');

const otlpOf = (name: string, labels: Labels, temporality: 1 | 2): unknown => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            {
              name,
              sum: {
                aggregationTemporality: temporality,
                isMonotonic: false,
                dataPoints: [
                  {
                    asDouble: 1,
                    startTimeUnixNano: `${now - 1_000}000000`,
                    timeUnixNano: `${now}000000`,
                    attributes: Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } })),
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
});
const otlp =
  (temporality: 1 | 2): Way =>
  (name, labels, headers) =>
    nines.send('POST', '/api/v1/otlp/v1/metrics', otlpOf(name, labels, temporality), headers);
const influx =
  (path: string): Way =>
  (name, labels, headers) =>
    nines.send('POST', path, `${name}${tags(labels)} value=1 ${now}000000`, { ...headers, 'content-type': 'text/plain' });
/** In Pushgateway's manner the labels stand in the address or in the body. */
const pushed =
  (method: 'PUT' | 'POST', inAddress: boolean): Way =>
  (name, labels, headers) => {
    const address = inAddress
      ? Object.entries(labels)
          .map(([label, value]) => `/${label}/${value}`)
          .join('')
      : '';
    const body = `${name}${inAddress ? '' : `{${text(labels)}}`} 1\n`;
    return nines.send(method, `/metrics/job/${name}${address}`, body, { ...headers, 'content-type': 'text/plain' });
  };

const WAYS: Readonly<Record<string, Way>> = {
  remote_write_1: (name, labels, headers) => {
    const body = writeBody([{ labels: { __name__: name, ...labels }, samples: [[now, 1]] }]);
    return nines.send('POST', '/api/v1/write', body, { ...WRITE_HEADERS, ...headers });
  },
  remote_write_2: (name, labels, headers) => {
    const pairs = Object.entries({ __name__: name, ...labels });
    const body = encodeSnappy(encodeWriteRequest2([{ labels: pairs, samples: [[now, 1]] }]));
    const type = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
    return nines.send('POST', '/api/v1/write', body, { 'content-type': type, 'content-encoding': 'snappy', ...headers });
  },
  otlp: otlp(2),
  otlp_delta: otlp(1),
  influx_1: influx('/write'),
  influx_2: influx('/api/v2/write'),
  json: (name, labels, headers) => nines.send('POST', '/api/metrics', { metrics: [{ name, value: 1, labels, type: 'gauge' }] }, headers),
  push_address: pushed('PUT', true),
  push_body: pushed('POST', false),
  import_openmetrics: (name, labels, headers) => {
    const body = `${name}{${text(labels)}} 1 ${Math.floor(now / 1000) - 3_600}\n# EOF\n`;
    return nines.send('POST', '/api/import?format=openmetrics', body, { ...headers, 'content-type': 'text/plain' });
  },
  import_victoriametrics: (name, labels, headers) => {
    const body = JSON.stringify({ metric: { __name__: name, ...labels }, values: [1], timestamps: [now - 3_600_000] });
    return nines.send('POST', '/api/v1/import', `${body}\n`, { ...headers, 'content-type': 'text/plain' });
  },
};

type Series = Readonly<Record<string, string>>;
const series = async (match: string, headers: Record<string, string>): Promise<readonly Series[]> => {
  const found = await nines.get<{ data: Series[] }>(`/api/v1/series?match[]=${encodeURIComponent(match)}`, headers);
  assert.equal(found.status, 200, found.text);
  return found.json.data;
};
const named = (name: string): string => `{__name__=~"${name}.*",__name__!~"push_.*"}`;
/** Those answer 200 and say in the body what they refused. */
const SAYS_INSIDE = /^(otlp|import_openmetrics)/;

for (const [way, send] of Object.entries(WAYS)) {
  test(`${way}: what a team sends gets its label, and another team's is refused by name`, async () => {
    const bare = await send(`bare_${way}`, { host: 'a' }, sender);
    assert.ok(bare.status < 300, bare.text);
    const own = await send(`own_${way}`, { host: 'a', team: 'quokka' }, sender);
    assert.ok(own.status < 300, own.text);
    for (const name of [`bare_${way}`, `own_${way}`])
      assert.deepEqual(
        (await series(named(name), administrator)).map(({ team }) => team),
        ['quokka'],
        name,
      );
    // Attack: a team's token forges the figures of another team.
    const foreign = await send(`foreign_${way}`, { host: 'a', team: 'zebra' }, sender);
    assert.equal(foreign.status, SAYS_INSIDE.test(way) ? 200 : 400, foreign.text);
    assert.match(foreign.text, /team/);
    assert.match(foreign.text, /quokka/);
    assert.deepEqual(await series(named(`foreign_${way}`), administrator), []);
  });

  test(`${way}: who writes for several teams must say for which`, async () => {
    const unsaid = await send(`unsaid_${way}`, { host: 'a' }, ofBoth);
    assert.equal(unsaid.status, SAYS_INSIDE.test(way) ? 200 : 400, unsaid.text);
    assert.match(unsaid.text, /label team is missing/);
    // A group's own series stand beside those in the body: its address must say it.
    if (way === 'push_body') return;
    const said = await send(`said_${way}`, { host: 'a', team: 'zebra' }, ofBoth);
    assert.ok(said.status < 300, said.text);
    assert.deepEqual(await series(named(`unsaid_${way}`), administrator), []);
    assert.equal((await series(named(`said_${way}`), administrator)).length, 1);
  });
}

test('what a team wrote is exactly what it sees', async () => {
  const written = '{__name__=~"(bare|own|foreign|unsaid|said)_.*"}';
  const all = await series(written, administrator);
  const seen = await series(written, reader);
  assert.deepEqual(
    seen,
    all.filter(({ team }) => team === 'quokka'),
  );
  assert.equal(seen.length, 2 * Object.keys(WAYS).length);
});

test('what was refused because of its sender is counted, and so is every bad token, by why', async () => {
  const figures = async (): Promise<string> => (await nines.get('/metrics', administrator)).text;
  const figure = (from: string, name: string): number =>
    Number(
      from
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length),
    );
  const before = await figures();
  const ofSamples = Object.keys(WAYS).filter((way) => !/^(push|import)/.test(way));
  // Each of them was refused a series of another team, and one that did not say whose it is.
  assert.equal(figure(before, 'nines_ingest_refused_samples_total{reason="outside_scope"}'), 2 * ofSamples.length);
  assert.equal(figure(before, 'nines_push_requests_total{outcome="outside_scope"}'), 4);
  assert.equal(figure(before, 'nines_import_samples_total{outcome="outside_scope"}'), 4);
  const made = async (body: object): Promise<{ id: string; token: string }> =>
    (await nines.send<{ id: string; token: string }>('POST', '/api/tokens', { role: 'read-only', ...body }, administrator)).json;
  const refused = async (token: string): Promise<void> => assert.equal((await nines.get('/api/services', bearer(token))).status, 401);
  const short = await made({ name: 'short', expires_at_ms: Date.now() + 1_500 });
  const gone = await made({ name: 'gone' });
  await nines.send('DELETE', `/api/tokens/${gone.id}`, undefined, administrator);
  const bound = await made({ name: 'bound', addresses: ['192.0.2.0/24'] });
  await refused(gone.token);
  await refused(bound.token);
  await refused('nines_not-a-token');
  await refused(makeSecret({ secret: () => 'A'.repeat(43) }));
  await poll('the end of the token', async () => (await nines.get('/api/services', bearer(short.token))).status === 401);
  const after = await figures();
  for (const reason of ['revoked', 'address', 'malformed', 'unknown', 'expired'])
    assert.ok(figure(after, `nines_access_refused_total{reason="${reason}"}`) >= 1, reason);
});

test('two teams that push under one job have a group each, and neither is told of, replaces or deletes the other', async () => {
  const plain = { 'content-type': 'text/plain' };
  const push = (headers: Record<string, string>, path: string, body: string): Promise<Answer> =>
    nines.send('PUT', path, body, { ...headers, ...plain });
  assert.equal((await push(administrator, '/metrics/job/nightly/team/zebra', '# TYPE n_total counter\nn_total 7\n')).status, 200);
  // A type that is another elsewhere would be refused if both were one's own; here the refusal would tell of the other team.
  assert.equal((await push(sender, '/metrics/job/nightly', '# TYPE n_total gauge\nn_total 1\n')).status, 200);
  const groups = async (headers: Record<string, string>): Promise<string> => (await nines.get('/api/v1/metrics', headers)).text;
  assert.match(await groups(reader), /nightly/);
  assert.doesNotMatch(await groups(reader), /zebra/);
  const refused = await nines.send('DELETE', '/metrics/job/nightly/team/zebra', undefined, sender);
  assert.equal(refused.status, 400, refused.text);
  assert.equal((await nines.send('DELETE', '/metrics/job/nightly', undefined, sender)).status, 202);
  assert.doesNotMatch(await groups(reader), /nightly/);
  assert.match(await groups(administrator), /"team":"zebra"/);
});

test('deltas of two teams are not added to each other', async () => {
  const body = otlpOf('shared_delta', { host: 'a' }, 1);
  for (const headers of [administrator, sender])
    assert.equal((await nines.send('POST', '/api/v1/otlp/v1/metrics', body, headers)).status, 200);
  const answer = await nines.get<{ data: { result: { value: [number, string] }[] } }>(
    `/api/v1/query?query=shared_delta&time=${now / 1000}`,
    administrator,
  );
  assert.deepEqual(
    answer.json.data.result.map(({ value }) => value[1]),
    ['1', '1'],
  );
});

test('a team does not change how a metric of others is described', async () => {
  const describe = (help: string, headers: Record<string, string>): Promise<Answer> =>
    nines.send('POST', '/api/metrics', { metrics: [{ name: 'described', value: 1, type: 'gauge', help }] }, headers);
  await describe('of all', administrator);
  assert.equal((await describe('taken over', sender)).status, 204);
  const { text: said } = await nines.get('/api/v1/metadata?metric=described', administrator);
  assert.match(said, /of all/);
});

test("alerts of a team get its label; another team's, and those about its services, are refused", async () => {
  const post = (labels: Labels, headers = sender): Promise<Answer> => nines.send('POST', '/api/v2/alerts', [{ labels }], headers);
  assert.equal((await post({ alertname: 'Mine' })).status, 200);
  const foreign = await post({ alertname: 'Forged', team: 'zebra' });
  assert.equal(foreign.status, 400, foreign.text);
  assert.match(foreign.text, /label team is \\"zebra\\"/);
  assert.equal((await post({ alertname: 'About', service: 'zebra-api' })).status, 400);
  assert.equal((await post({ alertname: 'Elsewhere', service: 'kube-state-metrics' })).status, 200);
  assert.match((await post({ alertname: 'Unsaid' }, ofBoth)).text, /label team is missing/);
  await nines.send('POST', '/api/v2/alerts', [{ labels: { alertname: 'Theirs', team: 'zebra' } }], administrator);
  const { json } = await nines.get<{ labels: Labels }[]>('/api/v2/alerts', administrator);
  const found = json.map(({ labels }) => `${labels['alertname']} of ${labels['team']}`).sort();
  assert.deepEqual(found, ['Elsewhere of quokka', 'Mine of quokka', 'Theirs of zebra']);
  const groups = await nines.get('/api/v2/alerts/groups', reader);
  assert.equal(groups.status, 200, groups.text);
  assert.match(groups.text, /Mine/);
  assert.doesNotMatch(groups.text, /zebra|Theirs/);
});

test("a team's jobs report; those of others are not there", async () => {
  const beat = (path: string): Promise<Answer> => nines.send('POST', `/api/heartbeat/${path}`, undefined, sender);
  assert.equal((await beat('quokka-job')).status, 200);
  assert.equal((await beat('quokka-job/start')).status, 200);
  const [foreign, nothing] = [await beat('zebra-job'), await beat('nothing')];
  assert.equal(foreign.status, 404);
  assert.equal(foreign.text.replaceAll('zebra-job', 'X'), nothing.text.replaceAll('nothing', 'X'));
});
