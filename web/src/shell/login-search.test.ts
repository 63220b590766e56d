import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginSearch } from './login-search.ts';

test('an address that leads elsewhere is not even kept in the address of the sign-in page (open redirect)', () => {
  assert.deepEqual(loginSearch({ next: '/settings/people?kiosk=1' }), { next: '/settings/people?kiosk=1' });
  assert.deepEqual(loginSearch({ next: '//evil.example' }), {});
  assert.deepEqual(loginSearch({ next: ['/a'] }), {});
});
