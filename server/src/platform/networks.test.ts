import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGroup, inNetworks, parseNetwork } from './networks.ts';

test('an address is in a network or not, however it is written', () => {
  const inside = inNetworks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::1', '2001:0DB8:0:0::1'])
    assert.ok(inside(address), address);
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '', 'localhost', '10.1.2', '::ffff:11.0.0.1'])
    assert.ok(!inside(address), address);
});

test('attack: a site of IPv6 has one limit, however many addresses it uses', () => {
  assert.equal(addressGroup('198.51.100.7'), '198.51.100.7');
  const group = addressGroup('2001:db8:1:2::1');
  for (const other of ['2001:db8:1:2:ffff:1:2:3', '2001:db8:1:2:3::', '2001:db8:1:2:0:0:0:9'])
    assert.equal(addressGroup(other), group, other);
  assert.notEqual(addressGroup('2001:db8:1:3::1'), group);
  assert.equal(addressGroup('::1'), addressGroup('0:0:0:0:0:0:0:1'));
  assert.equal(addressGroup('2001:db8::1'), '2001:db8:0:0');
});

test('networks are addresses with or without a prefix', () => {
  for (const good of ['10.0.0.0/8', '10.1.2.3', '::1', '2001:db8::/32', '0.0.0.0/0', '::/0']) assert.ok(parseNetwork(good), good);
  for (const bad of ['', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/8/8', 'localhost', '10.0.0.0/-1', '10.0.0.0/'])
    assert.equal(parseNetwork(bad), undefined, bad);
});
