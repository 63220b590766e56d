import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaOf, isClosed, knowPermits, mayIn, reasonOf, refusalOf } from './permits.ts';

const session = {
  actor: { id: 'u', name: 'Eve', role: 'executive', kind: 'user' as const },
  permits: { slas: ['read' as const], metrics: ['read' as const] },
  closed: [],
  areas: { '/api/slas': 'slas', '/api/v1': 'metrics', '/api/v1/rules': 'alerts', '/api/alerts': 'alerts' } as const,
};

test('an address belongs to the area of its longest beginning', () => {
  assert.equal(areaOf(session.areas, '/api/slas/shop/days?from=1'), 'slas');
  assert.equal(areaOf(session.areas, '/api/v1/rules'), 'alerts');
  assert.equal(areaOf(session.areas, '/api/v1/query_range'), 'metrics');
  assert.equal(areaOf(session.areas, '/api/slasher'), undefined);
});

test('what would be refused is not asked for, and says what it needs; until the session is known everything is', () => {
  assert.equal(refusalOf('GET', '/api/alerts'), undefined);
  knowPermits(session);
  assert.equal(refusalOf('GET', '/api/alerts?state=firing'), 'needs read on alerts; your role executive does not have it');
  assert.equal(refusalOf('GET', '/api/slas'), undefined);
  assert.equal(refusalOf('POST', '/api/v1/query'), undefined);
  assert.equal(refusalOf('GET', '/api/session'), undefined);
  assert.equal(mayIn(session, 'operate', 'slas'), false);
  assert.match(reasonOf(session, 'operate', 'status_pages'), /operate on status pages/);
});

test('who sees a part does not ask for what is about everything', () => {
  const closed = [
    { path: '/api/oncall/who', unless: [] },
    { path: '/api/alerts/:id/snapshot', unless: [] },
    { path: '/api/reports/contracts', unless: ['sla', 'service'] },
  ];
  for (const path of ['/api/oncall/who', '/api/alerts/7/snapshot?x=1', '/api/reports/contracts?period=2026-11'])
    assert.equal(isClosed(closed, path), true, path);
  for (const path of ['/api/oncall', '/api/alerts/7', '/api/reports/contracts?sla=shop', '/api/alerts/7/snapshot/x'])
    assert.equal(isClosed(closed, path), false, path);
  knowPermits({ ...session, permits: { alerts: ['read'] }, closed });
  assert.match(refusalOf('GET', '/api/alerts/7/snapshot') ?? '', /only those may use it who see everything/);
  assert.equal(refusalOf('GET', '/api/alerts'), undefined);
});
