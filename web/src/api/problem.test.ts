import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOf } from './problem.ts';

const about = { status: 400, where: 'POST /api/services' };

test('a form is told the first fault without the name of its field in the request', () => {
  const details = [{ field: 'checks[0].address', message: 'not an address: "shop"' }];
  const problem = problemOf({ detail: 'body: checks[0].address: not an address: "shop"', code: 'invalid_request', details }, about);
  assert.deepEqual([problem.reason, problem.code], ['not an address: "shop"', 'invalid_request']);
});

test('without faults told apart the reason is the message, whatever shape the body has', () => {
  assert.equal(
    problemOf({ detail: 'the name or the password is wrong', details: { setup_needed: false } }, about).reason,
    'the name or the password is wrong',
  );
  assert.equal(problemOf({ error: 'parse error' }, about).reason, 'parse error');
  assert.equal(problemOf('<html>', about).reason, 'HTTP status 400');
});
