import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { HOUSE, type Nines, startNines } from '../harness/nines.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/**
 * Every path of Prometheus' own description of its API, asked with the parameters that it gives as examples, by every method;
 * the answers must fit its schemas. The description is not part of the product: without it this says so and tests nothing.
 */
const PLACES = [process.env['NINES_CONFORMANCE'] ?? '', join(HOUSE, '../shared/conformance')];
const FILE = PLACES.map((place) => join(place, 'openapi/prometheus-v1.yaml')).find((file) => existsSync(file));

type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly examples?: Record<string, { readonly value: unknown }>;
};
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>> }>
  >;
};
type Description = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>; readonly components: unknown };

/** Paths that are not served, and why; each must answer 404 in JSON. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  '/search/metric_names': 'experimental: behind a flag in Prometheus too',
  '/search/label_names': 'experimental: behind a flag in Prometheus too',
  '/search/label_values': 'experimental: behind a flag in Prometheus too',
  '/admin/tsdb/snapshot': 'POST /api/backups makes verified copies',
};
/** Paths that another test holds: their bodies are no JSON. */
const ELSEWHERE = new Set(['/read', '/write', '/otlp/v1/metrics', '/admin/tsdb/delete_series', '/admin/tsdb/clean_tombstones']);

const FILES = {
  'prometheus.yml': `global: { scrape_interval: 1h }
scrape_configs:
  - job_name: prometheus
    static_configs: [{ targets: ['127.0.0.1:9'], labels: { instance: i9 } }]
    basic_auth: { username: reader, password: hush }
    relabel_configs: [{ source_labels: [__address__], target_label: instance }, { action: drop, source_labels: [job], regex: nobody }]
`,
  'rules.yml': `groups:
  - { name: a, rules: [{ alert: Down, expr: up == 0, labels: { severity: critical }, annotations: { s: '{{ $value }}' } }, { record: r, expr: sum(up) }] }
  - { name: b, rules: [{ alert: Slow, expr: up > 5, labels: { severity: info } }] }
`,
};

const description = FILE === undefined ? undefined : (parse(readFileSync(FILE, 'utf8')) as Description);
const skip = description === undefined ? 'openapi/prometheus-v1.yaml is not there (NINES_CONFORMANCE names its folder)' : false;
let nines: Nines;

before(async () => {
  if (description === undefined) return;
  nines = await startNines({ config: 'rules: { packs: [], files: [rules.yml] }\nscrape: { files: [prometheus.yml] }\n', files: FILES });
  const nowMs = Date.now();
  const up = [0, 1].map((value) => ({
    labels: { __name__: 'up', job: 'prometheus', instance: `i${value}` },
    samples: Array.from({ length: 20 }, (_, i): [number, number] => [nowMs - (20 - i) * 15_000, value]),
  }));
  const answer = await fetch(`${nines.base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body: new Uint8Array(writeBody(up)) });
  assert.ok(answer.ok);
});
after(async () => nines?.[Symbol.asyncDispose]());

const validator = (): ((name: string, value: unknown) => string | undefined) => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: description?.components });
  return (ref, value) => {
    const validate = ajv.getSchema(`api${ref}`) ?? ajv.compile({ $ref: `api${ref}` });
    return validate(value) ? undefined : ajv.errorsText(validate.errors).slice(0, 500);
  };
};

/** The first example of each parameter; instants become present ones. */
function examples(operation: Operation): URLSearchParams {
  const nowS = Math.floor(Date.now() / 1000);
  const params = new URLSearchParams();
  for (const { name, in: place, examples: given } of operation.parameters ?? []) {
    const [first] = Object.values(given ?? {});
    if (place !== 'query' || first === undefined) continue;
    // A token belongs to one installation's groups.
    if (name === 'group_next_token') continue;
    const value = name === 'start' ? nowS - 600 : name === 'end' || name === 'time' ? nowS : first.value;
    for (const each of [value].flat()) params.append(name, String(each));
  }
  return params;
}

for (const [path, operations] of Object.entries(description?.paths ?? { '(no description)': {} })) {
  test(`${path} answers as described`, { skip }, async () => {
    const valid = validator();
    for (const [method, operation] of Object.entries(operations)) {
      if (ELSEWHERE.has(path)) continue;
      const params = examples(operations['get'] ?? operation);
      const url = `${nines.base}/api/v1${path.replace('{name}', 'job')}`;
      const ask = method === 'get' ? fetch(`${url}?${params}`) : fetch(url, { method: method.toUpperCase(), body: params });
      const answer = await ask;
      const text = await answer.text();
      const json = JSON.parse(text) as { readonly status: string };
      const where = `${method} ${path}?${params}: ${text.slice(0, 400)}`;
      if (NOT_SERVED[path] !== undefined) {
        assert.equal(answer.status, 404, where);
        continue;
      }
      const ref = operation.responses['200']?.content?.['application/json']?.schema?.$ref ?? '';
      assert.equal(answer.status, 200, where);
      assert.equal(valid(ref, json), undefined, where);
    }
  });

  test(`${path} refuses as described`, { skip }, async () => {
    const valid = validator();
    for (const [method, operation] of Object.entries(operations)) {
      const [first] = (operation.parameters ?? []).filter((parameter) => parameter.required === true && parameter.in === 'query');
      if (method !== 'get' || first === undefined || NOT_SERVED[path] !== undefined || ELSEWHERE.has(path)) continue;
      const params = examples(operation);
      params.delete(first.name);
      const answer = await fetch(`${nines.base}/api/v1${path}?${params}`);
      const json = (await answer.json()) as unknown;
      assert.equal(answer.status, 400, `${path} without ${first.name}: ${JSON.stringify(json)}`);
      assert.equal(valid('#/components/schemas/Error', json), undefined, path);
    }
  });
}

test('groups come in pages, and rules by label', { skip }, async () => {
  type Page = { readonly data: { readonly groups: readonly { readonly name: string }[]; readonly groupNextToken?: string } };
  const names = ({ data }: Page): readonly string[] => data.groups.map(({ name }) => name);
  const first = (await nines.get<Page>('/api/v1/rules?group_limit=1')).json;
  assert.deepEqual(names(first), ['a']);
  const second = (await nines.get<Page>(`/api/v1/rules?group_limit=1&group_next_token=${first.data.groupNextToken}`)).json;
  assert.deepEqual([names(second), second.data.groupNextToken], [['b'], undefined]);
  assert.deepEqual(names((await nines.get<Page>(`/api/v1/rules?match[]=${encodeURIComponent('{severity="info"}')}`)).json), ['b']);
  for (const bad of [
    'group_limit=x',
    'group_limit=0',
    'group_next_token=abc',
    'group_limit=1&group_next_token=abc',
    'match[]=sum(up)',
    'type=x',
  ])
    assert.equal((await nines.get(`/api/v1/rules?${bad}`)).status, 400, bad);
});

test('stats counts what a query read', { skip }, async () => {
  type Stats = {
    readonly data: {
      readonly stats?: { readonly samples: { readonly samplesRead: number }; readonly timings: { readonly execTotalTime: number } };
    };
  };
  const { json } = await nines.get<Stats>(
    `/api/v1/query?query=${encodeURIComponent('count_over_time(up{job="prometheus"}[10m])')}&stats=all`,
  );
  assert.equal(json.data.stats?.samples.samplesRead, 40);
  assert.ok((json.data.stats?.timings.execTotalTime ?? 0) > 0);
  assert.equal((await nines.get<Stats>('/api/v1/query?query=up')).json.data.stats, undefined);
});

test('a long answer is zipped for whoever takes that, a streamed one too', { skip }, async () => {
  const lengthOf = async (path: string, encoding: string): Promise<readonly [string | null, number]> => {
    const sizes: number[] = [];
    const encoded = await new Promise<string | null>((resolve, reject) => {
      get(`${nines.base}${path}`, { headers: { 'accept-encoding': encoding } }, (response) => {
        response.on('data', (chunk: Buffer) => sizes.push(chunk.length));
        response.on('end', () => resolve(response.headers['content-encoding'] ?? null));
        response.on('error', reject);
      }).on('error', reject);
    });
    return [encoded, sizes.reduce((sum, size) => sum + size, 0)];
  };
  const step = `start=${Math.floor(Date.now() / 1000) - 600}&end=${Math.floor(Date.now() / 1000)}&step=1`;
  for (const path of ['/api/v1/status/self_metrics', `/api/v1/query_range?query=up&${step}`, '/metrics', '/api/v1/labels']) {
    const [plain, plainBytes] = await lengthOf(path, 'identity');
    const [zipped, zippedBytes] = await lengthOf(path, 'gzip');
    const long = plainBytes >= 1_024;
    assert.deepEqual([plain, zipped], [null, long ? 'gzip' : null], path);
    assert.ok(!long || zippedBytes < plainBytes / 2, `${path}: ${zippedBytes} of ${plainBytes} bytes`);
  }
});

test('a job shows its configuration without secrets, and what each relabelling rule does', { skip }, async () => {
  const config = (await nines.get<{ data: { yaml: string } }>('/api/v1/scrape_pools/config?scrapePool=prometheus')).json.data.yaml;
  assert.match(config, /^job_name: prometheus$/m);
  assert.match(config, /^scrape_interval: 1h$/m);
  assert.match(config, /^scrape_timeout: 10s$/m);
  assert.match(config, /password: "?\[redacted\]/);
  assert.doesNotMatch(config, /hush/);
  type Steps = { data: { steps: readonly { keep: boolean; output: Record<string, string> }[] } };
  const steps = async (labels: object): Promise<Steps['data']['steps']> => {
    const params = new URLSearchParams({ scrapePool: 'prometheus', labels: JSON.stringify(labels) });
    return (await nines.get<Steps>(`/api/v1/targets/relabel_steps?${params}`)).json.data.steps;
  };
  assert.deepEqual(
    (await steps({ __address__: 'a:1', job: 'nobody' })).map(({ keep, output }) => [keep, { ...output }]),
    [
      [true, { __address__: 'a:1', instance: 'a:1', job: 'nobody' }],
      [false, {}],
    ],
  );
  for (const bad of ['scrapePool=other&labels={}', 'scrapePool=prometheus&labels=[1]', 'scrapePool=prometheus&labels=x'])
    assert.equal((await nines.get(`/api/v1/targets/relabel_steps?${bad}`)).status, 400, bad);
  assert.equal((await nines.get('/api/v1/status/self_metrics?metric_name_pattern=(')).status, 400);
});
