import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../test/harness/logs.ts';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { realClock } from './platform/clock.ts';
import { createIds } from './platform/ids.ts';
import type { App } from './serve.ts';

/**
 * Routes that change something for administrators and take a session that was left open, each with why. Everything else that needs
 * the permission to administer demands a proof; a new route has to choose.
 */
const WITHOUT_PROOF: Readonly<Record<string, string>> = {
  'POST /api/status-pages': 'what customers see; it opens nothing, and is changed back',
  'PUT /api/status-pages/{id}': 'what customers see; it opens nothing, and is changed back',
  'DELETE /api/status-pages/{id}': 'what customers see; the ledger behind it stays',
  'DELETE /api/status-pages/{id}/subscribers/{subscriber}': 'a request of the subscriber; they subscribe again',
  'PUT /api/incident-rules': 'rules with revisions; they open nothing',
  'POST /api/config/diff': 'reads: compares a draft',
  'POST /api/doctor': 'reads',
  'POST /api/tokens/introspect': 'reads',
  'POST /-/reload': 'takes what whoever may write the files has written',
};

type Operation = { readonly 'x-permission'?: string; readonly 'x-step-up'?: boolean };
type Book = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

let app: App;
let folder: string;
let cookie: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nines-step-up-'));
  const file = join(folder, 'nines.yml');
  writeFileSync(file, 'server: { listen: 127.0.0.1:0, admin_api: true }\n');
  const dataDir = join(folder, 'data');
  const read = () => readConfig({ file, dataDir });
  const loaded = read();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const clock = realClock;
  const ids = createIds(clock);
  app = await createApp({ loaded, read, dataDir, configFile: file, key: undefined, open: false, clock, ids, logger: silentLogger });
  const token = app.setupUrl?.split('token=')[1];
  const made = await fetch(`${app.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, name: 'Ann', password: 'correct horse battery' }),
  });
  assert.equal(made.status, 204, await made.text());
  cookie = made.headers.getSetCookie().join('; ');
});
after(async () => {
  await app?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('whatever administers demands a proof of who it is, or a reason stands here why not', async () => {
  const book = (await (await fetch(`${app.url}/api/openapi.json`, { headers: { cookie } })).json()) as Book;
  const changing = Object.entries(book.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method, { 'x-permission': permission }]) => method !== 'get' && permission === 'administer')
      .map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, proof: operation['x-step-up'] === true })),
  );
  assert.ok(changing.length > 15, 'the document lists the routes');
  const open = changing.filter(({ proof }) => !proof).map(({ route }) => route);
  assert.deepEqual(
    open.filter((route) => WITHOUT_PROOF[route] === undefined),
    [],
    'say stepUp: true in the config of these routes, or why not in WITHOUT_PROOF',
  );
  const known = new Set(changing.map(({ route }) => route));
  for (const route of Object.keys(WITHOUT_PROOF)) assert.ok(known.has(route) && open.includes(route), `${route} is no such route any more`);
});
