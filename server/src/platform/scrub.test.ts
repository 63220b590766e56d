import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from './config/fields.ts';
import { createLogger } from './log.ts';
import { scrub } from './scrub.ts';

test('a value that was marked as a secret stands in no scrubbed text, as it is, in an address, in JSON, or a line of it', () => {
  const value = 'p"w/ö d\\canary+1';
  const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIcanary\nc2Vjb25kbGluZQ==\n-----END PRIVATE KEY-----\n';
  const hook = 'https://hooks.example/services/T01/canary-abcdefghijklmnopqrst?x=canary-2';
  const account = 'postgresql://nines:canary%2Bp%C3%A4ss@db/state';
  for (const secret of [value, key, hook, account, 'Token canary-in-header']) assert.ok(new Secret(secret).reveal() === secret);
  const texts = [
    value,
    `x${value}y`,
    encodeURIComponent(value),
    JSON.stringify({ error: value }),
    JSON.stringify(key),
    'c2Vjb25kbGluZQ==',
    'POST /services/T01/canary-abcdefghijklmnopqrst?x=canary-2',
    'canary-abcdefghijklmnopqrst',
    'no canary+päss here',
    'got canary-in-header',
  ];
  for (const text of texts) assert.doesNotMatch(scrub(text), /canary|c2Vjb25k/, text);
});

test('what carries a secret by its form goes, and everything else stays as it was', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['GET https://ann:hunter2@shop.example/a?b=1 failed', 'GET https://[redacted]@shop.example/a?b=1 failed'],
    ['postgresql://nines:pw@db/state', 'postgresql://[redacted]@db/state'],
    ['/x?access_token=abc&page=2&sig=def#t', '/x?access_token=[redacted]&page=2&sig=[redacted]#t'],
    ['{"url":"/x?X-Amz-Signature=0123"}', '{"url":"/x?X-Amz-Signature=[redacted]"}'],
    ['authorization: Bearer eyJhbGciOi.J9', 'authorization: Bearer [redacted]'],
    ['proxy said: Basic YW5uOmh1bnRlcjI=', 'proxy said: Basic [redacted]'],
    [`nines_${'a'.repeat(43)} was refused`, 'nines_[redacted] was refused'],
    ['mail to ann@example.org: no route; see https://docs.example/a@b', 'mail to ann@example.org: no route; see https://docs.example/a@b'],
    ['basic checks and a bearer of news: nines_store_encrypted 1', 'basic checks and a bearer of news: nines_store_encrypted 1'],
  ];
  for (const [text, expected] of cases) assert.equal(scrub(text), expected);
});

test('no log line holds one, however deep in a field or an error it stands', () => {
  const secret = new Secret('canary-of-the-log').reveal();
  for (const format of ['json', 'text'] as const) {
    const lines: string[] = [];
    const logger = createLogger({ level: 'debug', format, to: { write: (line) => void lines.push(line) } });
    logger.error(`asked with ${secret}`, {
      error: new Error(secret, { cause: secret }),
      deep: { er: [{ url: `http://u:${secret}@h/?q=${secret}` }] },
    });
    logger.child({ actor: secret }).info('x', { password: 'short', body: Buffer.from(secret) });
    assert.ok(lines.length === 2);
    for (const line of lines) assert.doesNotMatch(line, /canary|short/);
    if (format === 'json') for (const line of lines) assert.doesNotThrow(() => JSON.parse(line));
  }
});
