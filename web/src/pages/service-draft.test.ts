import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceOf, slugOf } from './service-draft.ts';

test('a name becomes an id that can stand in an address', () => {
  assert.equal(slugOf('Web shop (EU)'), 'web-shop-eu');
  assert.equal(slugOf('  Zahlung für Käufer  '), 'zahlung-fur-kaufer');
  assert.equal(slugOf('支付'), '');
  assert.match(slugOf('x'.repeat(200)), /^x{58}$/);
});

test('an address is asked over HTTP, host and port are connected to', () => {
  assert.deepEqual(serviceOf({ name: 'Shop', target: ' https://shop.example.org/health ', interval: '30s' }), {
    id: 'shop',
    name: 'Shop',
    checks: [{ id: 'shop-http', kind: 'http', url: 'https://shop.example.org/health', interval: '30s' }],
  });
  assert.deepEqual(serviceOf({ name: 'Orders', target: 'db.example.org:5432', interval: '1m' }).checks, [
    { id: 'orders-tcp', kind: 'tcp', address: 'db.example.org:5432', interval: '1m' },
  ]);
});
