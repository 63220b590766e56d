import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Http } from '../platform/http/contract.ts';
import type { ExplanationView } from './contract.ts';
import { AUTHORIZED, T0_S, startQueryServer } from './testing/server.ts';

async function explained(http: Http, query: string, atS = T0_S + 600): Promise<ExplanationView> {
  const answer = await http.inject({
    method: 'GET',
    url: `/api/metrics/explain?${new URLSearchParams({ query, time: String(atS) })}`,
    headers: AUTHORIZED,
  });
  assert.equal(answer.statusCode, 200, answer.body);
  return answer.json() as ExplanationView;
}

test('each part of a query is counted, and its place in the tree is told', async (t) => {
  const http = await startQueryServer(t);
  const { nodes, hints, left_out: leftOut } = await explained(http, 'sum by (job) (rate(up[5m])) > 2 * 3');
  assert.deepEqual(
    nodes.map(({ parent, text, results, value }) => [parent, text, results, value]),
    [
      [null, 'sum by (job) (rate(up[5m])) > 2 * 3', 0, null],
      [0, 'sum by (job) (rate(up[5m]))', 2, null],
      [1, 'rate(up[5m])', 2, null],
      [2, 'up[5m]', 2, null],
      [0, '2 * 3', 1, '6'],
      [4, '2', 1, '2'],
      [4, '3', 1, '3'],
    ],
  );
  assert.equal(leftOut, 0);
  assert.deepEqual(
    hints.map(({ says }) => says),
    ['No value satisfies ">": all are 0.'],
  );
  assert.deepEqual(nodes[1]?.says, ['One result per value of job; other labels are gone.']);
});

test('how two sides are matched is told in words, with what is alone', async (t) => {
  const http = await startQueryServer(t);
  const { nodes, hints } = await explained(http, 'up / on (job) requests_total');
  assert.equal(nodes[0]?.results, 1);
  assert.deepEqual(nodes[0]?.says, [
    'Both sides match where job are equal.',
    'Each series of the left has at most one partner on the right.',
    '2 on the left, 1 on the right, 1 on both.',
    'Alone on the left, for example: {job="b"}',
  ]);
  assert.deepEqual(hints, []);
  const lost = await explained(http, 'up / requests_total');
  assert.match(lost.hints[0]?.says ?? '', /^Both sides of "\/" have results, 2 and 1, but none survives/);
});

test('a query without results says what is missing, and what to write instead', async (t) => {
  const http = await startQueryServer(t);
  const cases: readonly (readonly [query: string, says: RegExp, instead: string | null])[] = [
    [
      'sum(rate(request_total{job="a"}[5m]))',
      /No metric is called request_total\. There is requests_total\./,
      'sum(rate(requests_total{job="a"}[5m]))',
    ],
    ['up{job="aa"} offset 1m', /No series of up has job="aa"; there is a, b\./, 'up{job="a"} offset 1m'],
    ['up{jbo="a"}', /up has no label jbo; it has job\./, 'up{job="a"}'],
    ['rate(up[15s])', /rate needs at least two samples in its window of 15s, and one comes every 15s/, 'rate(up[1m])'],
    ['nothing_like_it_at_all', /No metric is called nothing_like_it_at_all\./, null],
    ['up{job=~"x.*"}', /No series of up has job=~"x\.\*"; there is a, b\./, null],
    ['requests_total < 5', /No value satisfies "<": the only one is 1200\./, null],
  ];
  for (const [query, says, instead] of cases) {
    const { hints } = await explained(http, query);
    assert.match(hints[0]?.says ?? '', says, query);
    assert.equal(hints[0]?.instead, instead, query);
    if (instead !== null) assert.ok((await explained(http, instead)).nodes[0]?.results !== 0, instead);
  }
  const later = await explained(http, 'up', T0_S + 600 + 7200);
  assert.match(later.hints[0]?.says ?? '', /The newest sample of up is 2h older than the end of the range, .*; the query looks 5m back\./);
});

test('a part that fails says so at its place, and a text that is no query is refused', async (t) => {
  const http = await startQueryServer(t);
  const { nodes } = await explained(http, 'up * on () requests_total');
  assert.match(nodes[0]?.error ?? '', /many-to-many|multiple matches/);
  assert.deepEqual([nodes[1]?.results, nodes[2]?.results], [2, 1]);
  const refused = await http.inject({ method: 'GET', url: '/api/metrics/explain?query=sum(', headers: AUTHORIZED });
  assert.equal(refused.statusCode, 400, refused.body);
  assert.match(refused.body, /bad_query/);
});
