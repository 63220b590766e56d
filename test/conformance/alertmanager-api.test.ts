/** Alertmanager's API v2 as its own OpenAPI document (alertmanager-v2.yaml, Apache 2.0) and amtool expect it, on one server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

type Schema = {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
};
type Document = {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly responses: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response_>> }>>>>;
};
type Response_ = { readonly schema?: Schema; readonly $ref?: string };
const DOCUMENT = parse(readFileSync(join(import.meta.dirname, 'alertmanager-v2.yaml'), 'utf8')) as Document;

/** Where `value` departs from the schema, with the path to it. */
function faultsOf(value: unknown, schema: Schema, path: string): readonly string[] {
  if (schema.$ref !== undefined) return faultsOf(value, DOCUMENT.definitions[schema.$ref.replace('#/definitions/', '')] ?? {}, path);
  const own = (schema.allOf ?? []).flatMap((part) => faultsOf(value, part, path));
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) own.push(`${path} is ${String(value)}`);
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(String(value)))) own.push(`${path} is no instant`);
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return [...own, `${path} is no list`];
    return [...own, ...value.flatMap((item, index) => faultsOf(item, schema.items ?? {}, `${path}[${index}]`))];
  }
  if (schema.type === 'object') {
    if (typeof value !== 'object' || value === null) return [...own, `${path} is no object`];
    const record = value as Record<string, unknown>;
    own.push(...(schema.required ?? []).filter((name) => record[name] === undefined).map((name) => `${path}.${name} is missing`));
    for (const [name, part] of Object.entries(record)) {
      const its = schema.properties?.[name] ?? schema.additionalProperties;
      if (its !== undefined) own.push(...faultsOf(part, its, `${path}.${name}`));
    }
    return own;
  }
  if (schema.type !== undefined && schema.type !== typeof value) own.push(`${path} is a ${typeof value}, not a ${schema.type}`);
  return own;
}

type Call = { readonly method?: string; readonly path: string; readonly in?: string; readonly body?: unknown; readonly status?: number };

/** Calls `path` and holds the answer against what the document says of `in` (the path as written there). */
async function call<T>(nines: Nines, { method = 'GET', path, in: place = path.split('?')[0] ?? '', body, status = 200 }: Call): Promise<T> {
  const answer = await nines.send<T>(method, `/api/v2${path}`, body);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  const said = DOCUMENT.paths[place]?.[method.toLowerCase()]?.responses[String(status)];
  assert.ok(said !== undefined, `${method} ${place} ${status} is in the document`);
  const schema = said.$ref === undefined ? said.schema : DOCUMENT.responses[said.$ref.replace('#/responses/', '')]?.schema;
  if (schema !== undefined) assert.deepEqual(faultsOf(answer.json, schema, `${method} ${path}`), []);
  return answer.json;
}

async function amtool(nines: Nines, ...args: readonly string[]): Promise<string> {
  const child = spawn('amtool', ['--alertmanager.url', nines.base, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  // Where it says that its version and the server's differ.
  let warned = '';
  child.stderr.on('data', (chunk) => (warned += String(chunk)));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, said + warned);
  return said;
}

type Shown = {
  readonly labels: Record<string, string>;
  readonly generatorURL: string;
  readonly status: { readonly state: string; readonly silencedBy: readonly string[] };
};

const CONFIG = `
collect: { host: { enabled: false } }
rules: { packs: [] }
channels: [{ id: everyone, kind: log }, { id: database, kind: log }]
routing:
  resolve_timeout: 1s
  tree:
    receiver: everyone
    group_by: [alertname]
    routes: [{ receiver: database, matchers: ['team=~"db|store"'], continue: true }]
`;

test('what others send becomes alerts, which amtool shows and silences', async () => {
  await using nines = await startNines({ config: CONFIG });
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const disk = { labels: { alertname: 'Disk', team: 'db', instance: 'a', empty: '' }, annotations: { summary: 'full' } };
  const posted = [
    { ...disk, endsAt: soon, generatorURL: 'http://prometheus.example/graph?x' },
    { labels: { alertname: 'Load', instance: 'a', severity: 'page' }, endsAt: soon },
  ];
  await call(nines, { method: 'POST', path: '/alerts', body: posted });
  const shown = await call<readonly Shown[]>(nines, { path: '/alerts?filter=alertname%3D%22Disk%22' });
  assert.deepEqual(
    shown.map(({ labels, generatorURL, status }) => [labels, generatorURL, status.state]),
    [[{ alertname: 'Disk', team: 'db', instance: 'a' }, 'http://prometheus.example/graph?x', 'active']],
  );
  type Ours = { readonly items: readonly { readonly alertname: string; readonly severity: string; readonly kind: string }[] };
  const ours = (await nines.get<Ours>('/api/alerts?source=alertmanager')).json.items;
  assert.deepEqual(ours.map(({ alertname, severity, kind }) => `${alertname} ${severity} ${kind}`).toSorted(), [
    'Disk warning alertmanager',
    'Load critical alertmanager',
  ]);
  type Grouped = { readonly receiver: { readonly name: string }; readonly labels: Record<string, string> };
  const groups = await call<readonly Grouped[]>(nines, { path: '/alerts/groups' });
  assert.deepEqual(
    groups.map(({ receiver, labels }) => `${receiver.name} ${labels['alertname']}`),
    ['database Disk', 'everyone Load'],
  );
  assert.deepEqual(await call(nines, { path: '/alerts?receiver=data' }), []);
  assert.equal((await call<readonly Shown[]>(nines, { path: '/alerts?receiver=data.*' })).length, 1);
  await call(nines, { path: '/status' });
  assert.deepEqual(await call(nines, { path: '/receivers' }), [{ name: 'everyone' }, { name: 'database' }]);

  assert.match(await amtool(nines, 'alert', 'query', 'team=~"d."'), /Disk/);
  assert.equal((await amtool(nines, 'config', 'routes', 'test', 'team=store')).trim(), 'database');
  const id = (await amtool(nines, 'silence', 'add', '--author=anne', '--comment=new disk', '--duration=1h', 'alertname=Disk')).trim();
  const [silenced] = await call<readonly Shown[]>(nines, { path: '/alerts?active=false' });
  assert.deepEqual([silenced?.labels['alertname'], silenced?.status.silencedBy], ['Disk', [id]]);
  assert.match(await amtool(nines, 'silence', 'query'), /new disk/);
  type Silence = { readonly id: string; readonly status: { readonly state: string }; readonly createdBy: string };
  assert.equal((await call<Silence>(nines, { path: `/silence/${id}`, in: '/silence/{silenceID}' })).createdBy, 'anne');
  await amtool(nines, 'silence', 'expire', id);
  const [ended] = await call<readonly Silence[]>(nines, { path: '/silences?active=false&pending=false' });
  assert.deepEqual([ended?.id, ended?.status.state], [id, 'expired']);
  await call(nines, { method: 'DELETE', path: `/silence/${id}`, in: '/silence/{silenceID}' });
  await call(nines, { path: '/silence/e0b6f2f4-0000-4000-8000-000000000000', in: '/silence/{silenceID}', status: 404 });

  const bad = { createdBy: 'a', comment: 'c', startsAt: new Date().toISOString(), endsAt: soon };
  const all = [{ name: 'x', value: '.*', isRegex: true }];
  assert.match(
    await call(nines, { method: 'POST', path: '/silences', body: { ...bad, matchers: all }, status: 400 }),
    /must not match an empty/,
  );
  assert.match(await call(nines, { path: '/alerts?filter=%7B', status: 400 }), /bad matcher format/);
  const unnamed = { labels: { nothing: '' } };
  assert.match(await call(nines, { method: 'POST', path: '/alerts', body: [unnamed, ...posted], status: 400 }), /at least one label pair/);

  // An end in the past resolves; one without an end is over when its sender stays silent.
  const past = { ...posted[1], startsAt: new Date(Date.now() - 60_000).toISOString(), endsAt: new Date(Date.now() - 1_000).toISOString() };
  await call(nines, { method: 'POST', path: '/alerts', body: [past, { labels: { alertname: 'Brief' } }] });
  await poll('both to end', async () => (await call<readonly Shown[]>(nines, { path: '/alerts' })).length === 1);
  const steps = (await nines.get<{ items: readonly { alertname: string; id: string }[] }>('/api/alerts?status=resolved')).json.items;
  assert.deepEqual(steps.map(({ alertname }) => alertname).toSorted(), ['Brief', 'Load']);
});
