import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitOf } from './unit-of.ts';

test('the name of the one metric says the unit; arithmetic and what changes it say none', () => {
  const units: Readonly<Record<string, string | undefined>> = {
    shop_memory_bytes: 'bytes',
    'shop_latency_seconds{job="a_bytes / b"}': 'seconds',
    'max by (instance) (disk_used_bytes{device!="x"})': 'bytes',
    'avg_over_time(room_celsius[5m])': 'celsius',
    network_receive_bytes_total: 'bytes_per_second',
    disk_used_percent: 'percent',
    cache_hit_ratio: 'ratio',
    'used_bytes / size_bytes': undefined,
    '100 * cache_hit_ratio': undefined,
    'rate(cpu_seconds[5m])': undefined,
    'count(disk_used_bytes)': undefined,
    backup_timestamp_seconds: undefined,
    checkout_queue_length: undefined,
    '': undefined,
  };
  for (const [expr, unit] of Object.entries(units)) assert.equal(unitOf(expr), unit, expr);
});
