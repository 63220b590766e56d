/** The whole product in this process: every route of `serve.ts`, asked without a socket. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '@nines/server/app.ts';
import type { App } from '@nines/server/serve.ts';
import { readConfig } from '@nines/server/config.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { createIds } from '@nines/server/platform/ids.ts';
import { silentLogger } from './logs.ts';

type Http = App['http'];

export type StartedApp = AsyncDisposable & {
  readonly app: App;
  readonly http: Http;
  readonly dataDir: string;
  /** The session of its administrator. */
  readonly cookie: string;
  /** An administrator's token. */
  readonly token: string;
  /** Every route once per method, with its parameters filled in; HEAD answers what GET does and is left out. */
  readonly routes: readonly AppRoute[];
};
export type AppRoute = { readonly method: Method; readonly url: string; readonly path: string; readonly config: NonNullable<RouteConfig> };
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type RouteConfig = ReturnType<Http['everyRoute']>[number]['config'];

const PASSWORD = 'correct horse battery staple 9';

/** Starts it on a free port of loopback with its first administrator. */
export async function startApp(config = ''): Promise<StartedApp> {
  const folder = mkdtempSync(join(tmpdir(), 'nines-app-'));
  const file = join(folder, 'nines.yml');
  writeFileSync(file, config);
  const read = () => readConfig({ file, flags: [{ path: ['server', 'listen'], value: '127.0.0.1:0', source: 'test' }] });
  const loaded = read();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const at = { loaded, read, dataDir: join(folder, 'data'), configFile: file };
  const app = await createApp({ ...at, key: undefined, open: false, clock: realClock, ids: createIds(realClock), logger: silentLogger });
  const { http } = app;
  const secret = new URL(app.setupUrl ?? '').hash.replace('#token=', '');
  const made = await http.inject({ method: 'POST', url: '/api/setup', payload: { token: secret, name: 'ada', password: PASSWORD } });
  assert.equal(made.statusCode, 204, made.body);
  const cookie = made.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const headers = { cookie, 'sec-fetch-site': 'same-origin' };
  const created = await http.inject({ method: 'POST', url: '/api/tokens', headers, payload: { name: 'test', role: 'administrator' } });
  assert.equal(created.statusCode, 201, created.body);
  return {
    app,
    http,
    dataDir: at.dataDir,
    cookie,
    token: (created.json() as { token: string }).token,
    routes: routesOf(http),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function routesOf(http: Http): readonly AppRoute[] {
  return http.everyRoute().flatMap(({ method, url, config = {} }) =>
    [method]
      .flat()
      .filter((one): one is Method => one !== 'HEAD' && one !== 'OPTIONS')
      .map((one) => ({ method: one, url, path: url.replace(/:\w+(?:\([^)]*\))?/g, 'nothing').replace(/\*$/, 'nothing'), config })),
  );
}
