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

it('shows of an address neither account nor query, however it is written', () => {
  for (const [written, shown] of [
    ['https://u:p@api.test', 'https://[redacted]@api.test/'],
    ['https://u@api.test/v2?token=canary', 'https://[redacted]@api.test/v2?[redacted]'],
    ['  https://u:canary@api.test/?token=canary\n', 'https://[redacted]@api.test/?[redacted]'],
    ['HTTPS://u:canary@API.test/', 'https://[redacted]@api.test/'],
    ['https://u:canary@api.test:${PORT}/v2?key=canary&x=canary', 'https://[redacted]@api.test:${PORT}/v2?[redacted]'],
    ['https://api.test:${PORT:?the port}/v2', 'https://api.test:${PORT:?the port}/v2'],
    ['https://slack.com/api', 'https://slack.com/api'],
    ['see https://docs.test/x?y=1 for more', 'see https://docs.test/x?y=1 for more'],
  ] as const)
    assert.deepEqual(redact({ api_url: written }), { api_url: shown });
});
