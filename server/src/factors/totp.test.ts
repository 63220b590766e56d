import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase32, toBase32 } from './base32.ts';
import { recoveryCodeOf, recoveryDigest } from './recovery.ts';
import { TOTP_STEP_MS, judgeTotp, stepAt, totpCode, totpUri } from './totp.ts';
import { FREE_FAILURES, waitAfter } from '../platform/throttle.ts';

const SECRET = Buffer.from('12345678901234567890');

test('the values of RFC 6238, appendix B, and of RFC 4226, appendix D', () => {
  const seeds = { sha1: 20, sha256: 32, sha512: 64 } as const;
  const seedOf = (algorithm: keyof typeof seeds): Buffer => Buffer.from('1234567890'.repeat(7).slice(0, seeds[algorithm]));
  const vectors: readonly (readonly [number, string, string, string])[] = [
    [59, '94287082', '46119246', '90693936'],
    [1_111_111_109, '07081804', '68084774', '25091201'],
    [1_111_111_111, '14050471', '67062674', '99943326'],
    [1_234_567_890, '89005924', '91819424', '93441116'],
    [2_000_000_000, '69279037', '90698825', '38618901'],
    [20_000_000_000, '65353130', '77737706', '47863826'],
  ];
  for (const [seconds, ...codes] of vectors) {
    (['sha1', 'sha256', 'sha512'] as const).forEach((algorithm, index) => {
      const code = totpCode(seedOf(algorithm), stepAt(seconds * 1_000), { digits: 8, algorithm });
      assert.equal(code, codes[index], `${algorithm} at ${seconds}`);
    });
  }
  const counters = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'];
  counters.forEach((code, counter) => assert.equal(totpCode(SECRET, counter), code));
});

test('a clock that is off: one step before and after is taken, no more', () => {
  const nowMs = 1_760_000_000_000;
  const present = stepAt(nowMs);
  const table: readonly (readonly [skew: number, verdict: 'fits' | 'wrong'])[] = [
    [-3, 'wrong'],
    [-2, 'wrong'],
    [-1, 'fits'],
    [0, 'fits'],
    [1, 'fits'],
    [2, 'wrong'],
    [3, 'wrong'],
  ];
  for (const [skew, expected] of table) {
    assert.equal(judgeTotp(SECRET, totpCode(SECRET, present + skew), nowMs, -1).kind, expected, `${skew} steps`);
  }
  // To the millisecond: the step of the code ends, and is taken for one step more.
  const start = (present + 1) * TOTP_STEP_MS;
  const code = totpCode(SECRET, present);
  assert.equal(judgeTotp(SECRET, code, start + TOTP_STEP_MS - 1, -1).kind, 'fits');
  assert.equal(judgeTotp(SECRET, code, start + TOTP_STEP_MS, -1).kind, 'wrong');
});

test('replay: neither the step that was used nor one before it is taken again', () => {
  const nowMs = 1_760_000_000_000;
  const present = stepAt(nowMs);
  for (const step of [present - 1, present]) assert.equal(judgeTotp(SECRET, totpCode(SECRET, step), nowMs, present).kind, 'used');
  assert.equal(judgeTotp(SECRET, totpCode(SECRET, present + 1), nowMs, present).kind, 'fits');
});

test('a code of another length is wrong, not a crash', () => {
  for (const code of ['', '1', '12345', '1234567', '00000O', '\u0661\u0662\u0663\u0664\u0665\u0666']) {
    assert.equal(judgeTotp(SECRET, code, 1_760_000_000_000, -1).kind, 'wrong');
  }
});

test('base32 as RFC 4648 writes it, and back', () => {
  assert.equal(toBase32(Buffer.from('foobar')), 'MZXW6YTBOI');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const back = fromBase32(toBase32(bytes));
      assert.ok(back.ok && Buffer.from(back.value).equals(Buffer.from(bytes)));
    }),
  );
  assert.equal(fromBase32('MZ1').ok, false);
});

test('the address in the QR code names the server and the person, whatever stands in their name', () => {
  const uri = new URL(totpUri({ secret: SECRET, person: 'Ann & Bob?secret=x', host: 'nines.example.org' }));
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(decodeURIComponent(uri.pathname), '/Nines nines.example.org:Ann & Bob?secret=x');
  assert.deepEqual(uri.searchParams.getAll('secret'), [toBase32(SECRET)]);
});

test('a recovery code is read however it is typed, and is one of its own for each person', () => {
  const code = recoveryCodeOf(Buffer.from('0123456789'));
  assert.match(code, /^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/);
  const kept = recoveryDigest('ann', code);
  for (const typed of [
    code.toUpperCase(),
    code.replaceAll('-', ''),
    ` ${code.replaceAll('-', ' ')} `,
    code.replaceAll('0', 'O').replaceAll('1', 'l'),
  ]) {
    assert.equal(recoveryDigest('ann', typed), kept, typed);
  }
  assert.notEqual(recoveryDigest('bob', code), kept);
});

test('guessing waits longer with every wrong code, up to a quarter of an hour, and starts anew after a day', () => {
  const waits = [0, 4, 5, 6, 7, 15, 40].map((failures) => waitAfter({ count: failures, lastMs: 1_000 }, FREE_FAILURES, 1_000));
  assert.deepEqual(waits, [0, 0, 1_000, 2_000, 4_000, 900_000, 900_000]);
  assert.equal(waitAfter({ count: 40, lastMs: 0 }, FREE_FAILURES, 86_400_001), 0);
});
