import assert from 'node:assert/strict';
import { it } from 'node:test';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { startApp } from '../harness/app.ts';
import { poll } from '../harness/poll.ts';

const DAY_MS = 86_400_000;
const STEP_MS = 5 * 60_000;
const DAYS = 30;

const CONFIG = `
services: [{ id: shop, name: Shop }]
analytics:
  watch: [{ name: queue, expr: queue_length, limit: 1000 }]
`;

type Insight = {
  id: string;
  kind: string;
  sentence: string;
  subject: { name: string; href: string | null };
  evidence: { points: unknown[]; limit?: number };
};

/** One line per series, as VictoriaMetrics exports it: a response time that rises by a third over two weeks, and a queue that fills. */
function history(nowMs: number): string {
  const { normal } = randomFrom(5);
  const count = (DAYS * DAY_MS) / STEP_MS;
  const timestamps = Array.from({ length: count }, (_, i) => nowMs - (count - 1 - i) * STEP_MS);
  const risen = (atMs: number): number => Math.max(0, 1 - (nowMs - atMs) / (14 * DAY_MS));
  const line = (metric: Record<string, string>, value: (atMs: number) => number): string =>
    JSON.stringify({ metric, values: timestamps.map(value), timestamps });
  return [
    line(
      { __name__: 'probe_duration_seconds', service: 'shop', check: 'home', job: 'nines' },
      (atMs) => 0.21 * (1 + 0.38 * risen(atMs)) * Math.exp(0.1 * normal()),
    ),
    line({ __name__: 'queue_length', job: 'shop' }, (atMs) => 700 - (9 * (nowMs - atMs)) / DAY_MS + 5 * normal()),
  ].join('\n');
}

it('a month that is imported says what it holds: a response time that rises and a queue that fills, over HTTP', {
  timeout: 600_000,
}, async () => {
  await using started = await startApp(CONFIG);
  const { http, token } = started;
  const headers = { authorization: `Bearer ${token}` };
  const nowMs = Date.now();
  const imported = await http.inject({ method: 'POST', url: '/api/v1/import', headers, payload: history(nowMs) });
  assert.ok(imported.statusCode < 300, imported.body);
  const asked = await http.inject({ method: 'POST', url: '/api/insights/run', headers });
  assert.equal(asked.statusCode, 202, asked.body);
  const get = async <T>(url: string): Promise<T> => {
    const answer = await http.inject({ method: 'GET', url, headers });
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json() as T;
  };
  type Status = { last: { series: number; tests: number } | null };
  const last = await poll('the run', async () => (await get<Status>('/api/insights/status')).last, 300_000);
  assert.ok(last.series >= 2 && last.tests >= 4, JSON.stringify(last));
  const { items } = await get<{ items: Insight[] }>('/api/insights');
  const trend = items.find(({ kind }) => kind === 'performance_trend');
  assert.match(
    trend?.sentence ?? '',
    /^Response time of Shop rose \d\d % in 14 days, from 2\d\d(\.\d)? ms to 2\d\d(\.\d)? ms\.$/,
    JSON.stringify(last),
  );
  assert.deepEqual(trend?.subject, { name: 'Shop', href: '/services/shop' });
  const queue = items.find(({ kind }) => kind === 'capacity' || kind === 'prediction');
  assert.match(
    queue?.sentence ?? '',
    /^queue is at \d+ and grows by [89](\.\d+)? a day; at this pace it reaches 1000 around \d+ \w+, in about 3\d days/,
  );
  assert.equal(queue?.evidence.limit, 1000);

  const one = await get<Insight>(`/api/insights/${trend?.id}`);
  assert.equal(one.sentence, trend?.sentence);
  const muted = await http.inject({
    method: 'POST',
    url: `/api/insights/${trend?.id}/mute`,
    headers,
    payload: { for: '7d', what: 'subject' },
  });
  assert.equal(muted.statusCode, 201, muted.body);
  assert.equal(
    (await get<{ items: Insight[] }>('/api/insights')).items.some(({ id }) => id === trend?.id),
    false,
  );
  const ended = await http.inject({ method: 'DELETE', url: `/api/insights/mutes/${(muted.json() as { id: string }).id}`, headers });
  assert.equal(ended.statusCode, 204, ended.body);
  const said = await http.inject({ method: 'POST', url: `/api/insights/${trend?.id}/feedback`, headers, payload: { verdict: 'useful' } });
  assert.equal((said.json() as { feedback: string }).feedback, 'useful');
});
