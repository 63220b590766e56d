import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCommon } from './common-passwords.ts';
import { passwordBody } from './contract.ts';
import { adviceOn, judgePassword } from './judge.ts';

const CONTEXT = { name: 'Ann Lee', email: 'ann.lee@shop.example', host: 'status.bigcorp.example' };
const isGood = (password: string): boolean => judgePassword(password, CONTEXT, isCommon).ok;

test('what is guessed first is refused: short, common, disguised, counted, repeated, known here', () => {
  const refused = [
    'short',
    'ｓｈｏｒｔ',
    'password',
    'iloveyou',
    'PASSWORD1',
    'P4$$w0rd',
    'Tru5tno1',
    'Passw0rd!',
    'Sunshine2026',
    '!!football!!',
    'qwertyuiop',
    '1q2w3e4r',
    'aaaaaaaaaaaa',
    'asdfasdf',
    'abcdefghij',
    '987654321',
    'ann lee',
    'AnnLeeAnnLee',
    'ann.lee1',
    'bigcorp!1',
    'Nines2026',
    'm0nit0ring1',
  ];
  for (const password of refused) assert.equal(isGood(password), false, password);
});

test('no composition is asked for, any script counts, and a known word in a longer password is fine', () => {
  const good = [
    'correct horse battery',
    'zwölf kleine Igel',
    'ああああいいいい',
    'пятьсобакнакрыше',
    '🦔🐝🦊🐢🦉🐙🦀🐌',
    'ann walks to the shop',
    '        x 9',
  ];
  for (const password of good) assert.equal(isGood(password), true, password);
});

test('the list holds at least the 3000 most frequent passwords that are long enough', () => {
  const asked = ['michelle', 'starwars', 'corvette', 'whatever', 'mercedes', 'steelers', 'marlboro', 'danielle'];
  for (const password of asked) assert.equal(isGood(password), false, password);
});

test('256 characters are taken whole, one more is refused rather than cut off', () => {
  const longest = Array.from({ length: 256 }, (_, i) => String.fromCodePoint(0x1f400 + ((i * 7) % 60))).join('');
  assert.equal(isGood(longest), true);
  assert.equal(passwordBody.safeParse({ current: longest, next: longest }).success, true);
  assert.equal(passwordBody.safeParse({ current: 'x', next: `${longest}x` }).success, false);
  // One letter that NFKC writes as eighteen.
  assert.equal(isGood('\ufdfa'.repeat(20)), false);
  assert.equal(adviceOn('correct horse battery'), undefined);
  assert.match(adviceOn('nine char') ?? '', /15 characters/);
});
