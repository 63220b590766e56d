import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Secret } from './fields.ts';
import { redact } from './redact.ts';

it('shows the configuration without anything that opens a door', () => {
  const shown = redact({
    state: { url: new Secret('postgresql://u:p@h/d') },
    channels: [
      { id: 'hook', url: 'https://user:pass@chat.test/services/T0000/abcdefghijklmnopqrstuvwx?key=1', headers: { 'X-Key': 'k' }, max: 5 },
      { id: 'mail', password: 'hunter2', user: 'me', host: 'smtp.test' },
    ],
    target: { text: '99.9%', numerator: 999n, denominator: 1000n },
    matcher: { name: 'severity', op: '=', value: 'critical', matches: () => true },
    check: { url: 'http://127.0.0.1:9999/health', bearer_token: 'abc', api_key: 'k' },
    big: 5n,
    login: { per_token: 'none' },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), {
    state: { url: '[redacted]' },
    channels: [
      { id: 'hook', url: 'https://[redacted]@chat.test/services/T0000/[redacted]?[redacted]', headers: { 'X-Key': '[redacted]' }, max: 5 },
      { id: 'mail', password: '[redacted]', user: 'me', host: 'smtp.test' },
    ],
    target: '99.9%',
    matcher: 'severity="critical"',
    check: { url: 'http://127.0.0.1:9999/health', bearer_token: '[redacted]', api_key: '[redacted]' },
    big: '5',
    login: { per_token: 'none' },
  });
});
