/** A new installation sees by itself what it was given: a service, samples, an SLA, a status page, and where each person begins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../harness/app.ts';

type FirstRun = {
  readonly steps: readonly { readonly id: string; readonly done: boolean }[];
  readonly arrivals: readonly { readonly way: string; readonly what: string; readonly samples: number }[];
};

test("each step is done when its thing is there, samples as they come, and the landing page is one's own", async () => {
  await using app = await startApp();
  const headers = { cookie: app.cookie, 'sec-fetch-site': 'same-origin' };
  const ask = async <Answer>(method: 'GET' | 'POST' | 'PUT', url: string, payload?: object): Promise<Answer> => {
    const answer = await app.http.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    assert.ok(answer.statusCode < 300, `${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return (answer.body === '' ? undefined : answer.json()) as Answer;
  };
  const done = async () => (await ask<FirstRun>('GET', '/api/first-run')).steps.flatMap(({ id, done: is }) => (is ? [id] : []));
  assert.deepEqual(await done(), [], 'what the product says of itself is no arrival');
  await ask('POST', '/api/metrics', { metrics: [{ name: 'orders_total', value: 3 }] });
  assert.deepEqual(
    (await ask<FirstRun>('GET', '/api/first-run')).arrivals.map(({ way, what, samples }) => [way, what, samples]),
    [['push', 'orders_total', 1]],
  );
  await ask('POST', '/api/services', { id: 'shop', name: 'Shop', checks: [{ id: 'beat', kind: 'heartbeat', period: '1m' }] });
  await ask('POST', '/api/slas', {
    id: 'shop-availability',
    service: 'shop',
    indicator: { kind: 'availability' },
    target: '99.9%',
    window: { rolling: '30d' },
  });
  await ask('POST', '/api/status-pages', { id: 'shop', title: 'Shop', services: ['shop'] });
  assert.deepEqual(await done(), ['service', 'metrics', 'sla', 'status_page']);
  const landing = async () => (await ask<{ landing: string }>('GET', '/api/session')).landing;
  assert.equal(await landing(), '/');
  await ask('PUT', '/api/preferences', { landing: '/dashboards/operations' });
  assert.equal(await landing(), '/dashboards/operations');
  await ask('PUT', '/api/preferences', { landing: null });
  assert.equal(await landing(), '/');
  const elsewhere = await app.http.inject({
    method: 'PUT',
    url: '/api/preferences',
    headers,
    payload: { landing: 'https://elsewhere.test/' },
  });
  assert.equal(elsewhere.statusCode, 400);
});
