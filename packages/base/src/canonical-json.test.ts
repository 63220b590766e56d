import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Json, canonicalJson } from './canonical-json.ts';

test('keys stand in the order of their code units, at every depth', () => {
  assert.equal(canonicalJson({ b: 1, a: { d: [2, { z: 0, y: 0 }], c: null } }), '{"a":{"c":null,"d":[2,{"y":0,"z":0}]},"b":1}');
  // The order that RFC 8785 section 3.2.3 gives.
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))) as object);
  assert.deepEqual(sorted, ['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
});

test('numbers and text are printed as ECMAScript prints them', () => {
  assert.equal(
    canonicalJson([JSON.parse('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0]),
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
  );
  assert.equal(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/'), '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
});

test('what JSON cannot say is refused, what is undefined is left out', () => {
  assert.throws(() => canonicalJson(Number.NaN), /has no JSON form/);
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test('equal values have equal bytes, and reading them back gives the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value as Json);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text) as Json), text);
    }),
  );
});
