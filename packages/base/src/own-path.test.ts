import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownPath } from './own-path.ts';

test('after signing in only paths of this server are gone to (open redirect)', () => {
  for (const own of ['/services', '/slas/shop?range=7d', '/incidents/1#notes', '/alerts-dashboard?q=https://a.example'])
    assert.equal(ownPath(own), own);
  const foreign = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/.//evil.example',
    '/%2E//evil.example',
    '/a/.%2e//evil.example',
    '/a/..//evil.example',
    '/%09/../..//evil.example/..//x',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '',
    ' /x',
    'http:/evil.example',
    '///evil.example',
  ];
  for (const next of foreign) {
    const path = ownPath(next);
    assert.equal(new URL(path, 'https://nines.example').host, 'nines.example', next);
    assert.ok(path === '/' || !path.startsWith('//'), next);
  }
});
