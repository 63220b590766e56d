import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_PATTERN_LENGTH, compileRegex } from './regex.ts';

const whole = (pattern: string, text: string): boolean => {
  const made = compileRegex(pattern);
  assert.ok(made.ok, pattern);
  return made.value.matchesWhole(text);
};

test('a pattern is anchored on both ends and its dot matches a newline', () => {
  assert.equal(whole('a.c', 'abc'), true);
  assert.equal(whole('a.c', 'a\nc'), true);
  assert.equal(whole('a.c', 'xabc'), false);
  assert.equal(whole('b', 'abc'), false);
});

test('the quick paths answer as the engine does', () => {
  const texts = fc.array(fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'a|b', 'node_cpu', 'node_'), { minLength: 1, maxLength: 8 });
  const patterns = fc.constantFrom('a|b', '(a|ab)', '(?:a|b|)', 'node_.*', 'node_.+', '.*', '.+', 'abc', '');
  fc.assert(
    fc.property(patterns, texts, (pattern, all) => {
      const model = new RegExp(`^(?:${pattern})$`, 's');
      for (const text of all) assert.equal(whole(pattern, text), model.test(text), `${pattern} on ${text}`);
    }),
  );
});

test('a plain alternation is known as a set of literals', () => {
  const literals = (pattern: string): readonly string[] | undefined => {
    const made = compileRegex(pattern);
    return made.ok ? made.value.literals : undefined;
  };
  assert.deepEqual(literals('a|b|c'), ['a', 'b', 'c']);
  assert.deepEqual(literals('(a|b)'), ['a', 'b']);
  assert.equal(literals('a|b.*'), undefined);
});

test('groups are given by number and by name', () => {
  const made = compileRegex('(?P<host>[^:]+):(\\d+)');
  assert.ok(made.ok);
  const groups = made.value.groups('db:5432');
  assert.deepEqual(groups?.byIndex, ['db:5432', 'db', '5432']);
  assert.equal(groups?.byName.get('host'), 'db');
  assert.equal(made.value.groups('db'), undefined);
});

test('a pattern that would take an exponential engine seconds is answered at once', () => {
  assert.equal(whole('(?:(a+)+b)', `${'a'.repeat(5_000)}`), false);
});

test('a bad or overlong pattern is refused with its text', () => {
  const bad = compileRegex('a(');
  assert.equal(bad.ok, false);
  if (!bad.ok) assert.match(bad.error, /invalid regular expression "a\("/);
  assert.equal(compileRegex('a'.repeat(MAX_PATTERN_LENGTH + 1)).ok, false);
});
