import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { compileRegex } from '@nines/base/regex.ts';
import fc from 'fast-check';
import { labelsOf, labelsToRecord } from './labels.ts';
import { md5 } from './md5.ts';
import { type RelabelRule, relabel } from './relabel.ts';

type Written = Partial<Omit<RelabelRule, 'regex'>> & { readonly regex?: string };

function rule(written: Written): RelabelRule {
  const regex = compileRegex(written.regex ?? '(.*)');
  assert.ok(regex.ok);
  return {
    action: 'replace',
    sourceLabels: [],
    separator: ';',
    modulus: 0,
    targetLabel: '',
    replacement: '$1',
    ...written,
    regex: regex.value,
  };
}

function relabelled(input: Record<string, string>, ...rules: readonly Written[]): Record<string, string> | undefined {
  const labels = relabel(labelsOf(input), rules.map(rule));
  return labels === undefined ? undefined : { ...labelsToRecord(labels) };
}

test('replace joins its sources, expands groups and removes what became empty', () => {
  const input = { a: 'foo', b: 'bar', c: 'baz' };
  assert.deepEqual(relabelled(input, { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'd', replacement: 'ch${1}-ch${1}' }), {
    ...input,
    d: 'choo-choo',
  });
  assert.deepEqual(relabelled(input, { sourceLabels: ['a', 'b'], regex: '(foo);(bar)', targetLabel: 'd', replacement: '$2$1' }), {
    ...input,
    d: 'barfoo',
  });
  assert.deepEqual(
    relabelled(input, { sourceLabels: ['a'], regex: 'no(.*)', targetLabel: 'd', replacement: 'x' }),
    input,
    'no match changes nothing',
  );
  assert.deepEqual(relabelled(input, { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'c', replacement: '' }), { a: 'foo', b: 'bar' });
  assert.deepEqual(relabelled(input, { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: '${1}_name', replacement: 'v' }), {
    ...input,
    oo_name: 'v',
  });
  assert.deepEqual(
    relabelled(input, { sourceLabels: ['a'], regex: 'foo()', targetLabel: '$1', replacement: 'v' }),
    input,
    'an empty target changes nothing',
  );
  assert.deepEqual(relabelled(input, { sourceLabels: ['a'], regex: '(?P<rest>.*)', targetLabel: 'd', replacement: '$rest$$1$1x' }), {
    ...input,
    d: 'foo$1',
  });
});

test('keep, drop, keepequal and dropequal decide by whole matches', () => {
  const input = { a: 'foo', b: 'foo', c: 'bar' };
  assert.equal(relabelled(input, { action: 'drop', sourceLabels: ['a'], regex: 'foo' }), undefined);
  assert.deepEqual(relabelled(input, { action: 'drop', sourceLabels: ['a'], regex: 'fo' }), input);
  assert.deepEqual(relabelled(input, { action: 'keep', sourceLabels: ['a'], regex: 'f.*' }), input);
  assert.equal(relabelled(input, { action: 'keep', sourceLabels: ['missing'], regex: 'f.*' }), undefined);
  assert.deepEqual(relabelled(input, { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }), input);
  assert.equal(relabelled(input, { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'c' }), undefined);
  assert.equal(relabelled(input, { action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }), undefined);
  assert.deepEqual(relabelled(input, { action: 'dropequal', sourceLabels: ['a'], targetLabel: 'c' }), input);
});

test('labelmap, labeldrop and labelkeep work on names', () => {
  const input = { __meta_pod_app: 'shop', __meta_pod_tier: 'web', job: 'x' };
  assert.deepEqual(relabelled(input, { action: 'labelmap', regex: '__meta_pod_(.+)' }), { ...input, app: 'shop', tier: 'web' });
  assert.deepEqual(relabelled(input, { action: 'labeldrop', regex: '__meta.*' }), { job: 'x' });
  assert.deepEqual(relabelled(input, { action: 'labelkeep', regex: 'job' }), { job: 'x' });
});

test('lowercase, uppercase and hashmod write their target', () => {
  assert.deepEqual(
    relabelled(
      { a: 'FooBar' },
      { action: 'lowercase', sourceLabels: ['a'], targetLabel: 'l' },
      { action: 'uppercase', sourceLabels: ['a'], targetLabel: 'u' },
    ),
    {
      a: 'FooBar',
      l: 'foobar',
      u: 'FOOBAR',
    },
  );
  // The figure of Prometheus' own test of hashmod.
  assert.deepEqual(
    relabelled({ a: 'foo', b: 'bar', c: 'baz' }, { action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 }),
    {
      a: 'foo',
      b: 'bar',
      c: 'baz',
      d: '976',
    },
  );
});

test('rules follow one another and see what the earlier ones did', () => {
  assert.equal(
    relabelled({ a: 'x' }, { sourceLabels: ['a'], targetLabel: 'b' }, { action: 'drop', sourceLabels: ['b'], regex: 'x' }),
    undefined,
  );
});

test('the digest equals the one of a trusted library', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(Buffer.from(md5(bytes)).toString('hex'), createHash('md5').update(bytes).digest('hex'));
    }),
  );
});
