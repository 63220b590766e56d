import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, type Nines, startNines } from '../harness/nines.ts';

const CONFIG = `
channels: [{ id: chat, kind: log }]
routing:
  tree:
    receiver: everyone
    routes: [{ receiver: everyone, matchers: [team="db"], mute_time_intervals: [nights] }]
  receivers: [{ name: everyone, channels: [chat] }]
  time_intervals: [{ name: nights, time_intervals: [{ times: [{ start_time: '20:00', end_time: '24:00' }], location: Europe/Berlin }] }]
oncall:
  people: [{ id: anne, name: Anne }]
  schedules:
    - id: hourly
      zone: Europe/Berlin
      layers: [${Array.from({ length: 20 }, (_, i) => `{ name: l${i}, rotation: 1h, start: 2026-01-05 09:00, members: [anne] }`).join(', ')}]
`;
/** The last millisecond of the year 9999, and instants that no date can have. */
const LAST_MS = 253_402_300_799_999;
const TOO_FAR_MS = [LAST_MS + 1, 8.64e15 + 1, Number.MAX_SAFE_INTEGER];
const MATCHERS = [{ name: 'team', value: 'db' }];

type Refusal = { readonly detail: string; readonly code: string; readonly field: string };

function refused(answer: Answer, status: number, why: RegExp): void {
  assert.equal(answer.status, status, answer.text);
  assert.match((answer.json as Refusal).detail, why);
}

async function postAlerts(nines: Nines, ...labels: readonly Record<string, string>[]): Promise<void> {
  const posted = await nines.send(
    'POST',
    '/api/v2/alerts',
    labels.map((one) => ({ labels: one })),
  );
  assert.equal(posted.status, 200, posted.text);
}

describe('alerting given what nobody should send', () => {
  it('refuses it, says what is wrong, and goes on telling', async () => {
    await using nines = await startNines({ config: CONFIG });
    await distantInstants(nines);
    await textsOfNoDatabase(nines);
    await strangers(nines);
    await tooMuchAtOnce(nines);
    assert.equal((await nines.get('/-/ready')).status, 200);
    assert.doesNotMatch(nines.output(), /"level":"error"/);
  });
});

/** A silence that could be kept but not written would stop every alert that it matches. */
async function distantInstants(nines: Nines): Promise<void> {
  for (const ends_at_ms of TOO_FAR_MS) {
    refused(await nines.send('POST', '/api/silences', { matchers: MATCHERS, ends_at_ms, comment: 'long' }), 400, /ends_at_ms: /);
    refused(await nines.send('POST', '/api/routing/test', { labels: { team: 'db' }, at_ms: ends_at_ms }), 400, /at_ms: /);
  }
  const longest = await nines.send('POST', '/api/silences', { matchers: MATCHERS, ends_at_ms: LAST_MS, comment: 'for ever' });
  assert.equal(longest.status, 201, longest.text);
  assert.equal((await nines.send('POST', '/api/routing/test', { labels: { team: 'db' }, at_ms: LAST_MS })).status, 200);
  await postAlerts(nines, { alertname: 'Silenced', team: 'db' }, { alertname: 'Told' });
  const silences = await nines.get<readonly { readonly endsAt: string }[]>('/api/v2/silences');
  assert.deepEqual([silences.status, silences.json[0]?.endsAt], [200, '9999-12-31T23:59:59.999Z']);
}

async function textsOfNoDatabase(nines: Nines): Promise<void> {
  const [alert] = (await nines.get<{ items: { id: string }[] }>('/api/alerts?q=Told')).json.items;
  for (const text of ['a\u0000b', 'a\ud800b']) {
    const why = /cannot be kept/;
    refused(await nines.send('POST', `/api/alerts/${alert?.id}/comment`, { comment: text }), 400, why);
    refused(await nines.send('POST', `/api/alerts/${alert?.id}/assign`, { assignee: text }), 400, why);
    refused(await nines.send('POST', '/api/incidents', { title: text }), 400, why);
    refused(await nines.send('POST', '/api/oncall/people', { id: 'bob', name: text }), 400, why);
    refused(await nines.send('POST', '/api/silences', { matchers: MATCHERS, ends_at_ms: LAST_MS, comment: text }), 400, why);
  }
  refused(await nines.send('POST', `/api/alerts/${alert?.id}/assign`, { assignee: ' ' }), 400, /null for nobody/);
}

async function strangers(nines: Nines): Promise<void> {
  refused(await nines.get('/api/alerts/nope/escalation'), 404, /no alert nope/);
  refused(await nines.get('/api/oncall/schedules/nope/history'), 404, /no schedule "nope"/);
  assert.equal((await nines.send('POST', '/api/incidents', { title: 'By hand' })).status, 201);
  refused(await nines.send('DELETE', '/api/incidents/1/links/change/nope'), 404, /no change nope is linked/);
}

async function tooMuchAtOnce(nines: Nines): Promise<void> {
  const year = 'from=2027-01-01T00:00:00Z&to=2028-01-01T00:00:00Z';
  refused(await nines.get(`/api/oncall/schedules/hourly/shifts?${year}`), 400, /175200 shifts .* shorter/);
  refused(await nines.get(`/api/oncall/schedules/hourly/gaps?${year}`), 400, /shorter/);
  assert.equal((await nines.get('/api/oncall/schedules/hourly/shifts')).status, 200);
  const backtest = (ask: object): Promise<Answer> => nines.send('POST', '/api/rules/backtest', { id: 'RULE_001', ...ask });
  refused(await backtest({ from: '0001-01-01T00:00:00Z' }), 400, /3660 days at most/);
  refused(await backtest({ step: '2d' }), 400, /a step is no longer/);
}
