import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takesGzip } from './compress.ts';

test('gzip is taken by those who name it and do not refuse it', () => {
  for (const header of ['gzip', 'deflate, gzip;q=0.5', 'GZIP', 'br, x-gzip', 'gzip;q=0.001']) assert.equal(takesGzip(header), true, header);
  for (const header of [undefined, '', 'identity', 'gzip;q=0', 'gzip; q=0.0, br', 'gzipped'])
    assert.equal(takesGzip(header), false, header);
});
