import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaOf, knowPermits, mayIn, reasonOf, refusalOf } from './permits.ts';

const session = {
  actor: { id: 'u', name: 'Eve', role: 'executive', kind: 'user' as const },
  permits: { slas: ['read' as const], metrics: ['read' as const] },
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
