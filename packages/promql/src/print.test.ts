import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mustMatcher } from '@nines/base/matcher.ts';
import type { Aggregate, At, Expr, Length, Matching, VectorSelector } from './ast.ts';
import { parseExpr } from './parse.ts';
import { formatExpr, printExpr } from './print.ts';

const position = { from: 0, to: 0 };

/** Everything but positions and the matchers' functions. */
const bare = (expr: Expr): unknown =>
  JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => {
      if (key === 'position' || key === 'opPosition' || key === 'regex') return undefined;
      return typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : value;
    }),
  );

function reparsed(text: string): Expr {
  const result = parseExpr(text);
  assert.ok(result.ok, `${text}: ${result.ok ? '' : result.error.message}`);
  return result.value;
}

const name = fc.constantFrom('up', 'http_requests_total', 'job:rate5m', 'sum', 'by', 'with.dots', 'ünï');
const label = fc.constantFrom('job', 'instance', 'on', 'with.dots', 'le');
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('a"b', 'a\\b', 'line\nbreak', "it's"));
const labels = fc.uniqueArray(label, { maxLength: 3 });
const fixed: fc.Arbitrary<Length> = fc.integer({ min: 1, max: 10_000_000 }).map((ms) => ({ kind: 'fixed', seconds: ms / 1000, position }));
const length: fc.Arbitrary<Length> = fc.letrec<{ length: Length }>((tie) => ({
  length: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fixed,
    fc.constantFrom<Length>({ kind: 'step', position }, { kind: 'range', position }),
    tie('length').map((operand): Length => ({ kind: 'negated', operand, position })),
    fc
      .tuple(fc.constantFrom('+', '-', '*', '/', '%', '^', 'min_of', 'max_of'), tie('length'), tie('length'))
      .map(([op, left, right]): Length => ({ kind: 'arithmetic', op, left, right, position })),
  ),
})).length;
const at = fc.oneof(
  fc.integer({ min: -1_000_000, max: 2_000_000_000_000 }).map((atMs): At => ({ kind: 'instant', atMs })),
  fc.constantFrom<At>({ kind: 'start' }, { kind: 'end' }),
);
const modifiers = fc.record({ at, offset: length }, { requiredKeys: [] });
const plain: fc.Arbitrary<VectorSelector> = fc
  .tuple(name, fc.array(fc.tuple(label, fc.constantFrom('=' as const, '!=' as const), text), { maxLength: 2 }))
  .map(([metric, pairs]) => ({
    kind: 'selector',
    name: /^[a-zA-Z_:][\w:]*$/.test(metric) ? metric : undefined,
    matchers: sorted(
      metric,
      pairs.map(([each, op, value]) => mustMatcher(each, op, value)),
    ),
    position,
  }));

/** The parser puts a name written before the braces last and one written inside where it stands. */
function sorted(metric: string, matchers: VectorSelector['matchers']): VectorSelector['matchers'] {
  const own = mustMatcher('__name__', '=', metric);
  return /^[a-zA-Z_:][\w:]*$/.test(metric) ? [...matchers, own] : [own, ...matchers];
}

const selector = fc.tuple(plain, modifiers).map(([each, more]): VectorSelector => ({ ...each, ...more }));
const matrix = fc
  .tuple(plain, modifiers, length)
  .map(([each, more, range]): Expr => ({ kind: 'matrix', selector: { ...each, ...more }, range, position }));
const number = fc
  .oneof(fc.double({ noNaN: true }), fc.constantFrom(0, 1, -1, 0.5, 1e21, 1e-7))
  .map((value): Expr => ({ kind: 'number', value, duration: false, position }));
const matching = fc.record({ on: fc.boolean(), labels }).map((each): Matching => ({ cardinality: 'one_to_one', include: [], ...each }));

const { vector } = fc.letrec<{ vector: Expr; range: Expr }>((tie) => ({
  vector: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    selector,
    tie('vector').map((expr): Expr => ({ kind: 'paren', expr, position })),
    tie('range').map((arg): Expr => ({ kind: 'call', func: 'rate', args: [arg], position })),
    fc.tuple(number, tie('range')).map((args): Expr => ({ kind: 'call', func: 'quantile_over_time', args, position })),
    fc
      .tuple(tie('vector'), labels, fc.boolean())
      .map(([expr, grouping, without]): Aggregate => ({ kind: 'aggregate', op: 'sum', expr, grouping, without, position })),
    fc
      .tuple(tie('vector'), number, labels)
      .map(([expr, param, grouping]): Aggregate => ({ kind: 'aggregate', op: 'topk', expr, param, grouping, without: false, position })),
    fc
      .tuple(
        tie('vector'),
        fc.constantFrom('+' as const, '^' as const, 'atan2' as const),
        tie('vector'),
        fc.option(matching, { nil: undefined }),
      )
      .map(([left, op, right, how]): Expr => {
        const operand = (expr: Expr): Expr => ({ kind: 'paren', expr, position });
        const useful = how !== undefined && (how.on || how.labels.length > 0);
        return {
          kind: 'binary',
          op,
          opPosition: position,
          left: operand(left),
          right: operand(right),
          bool: false,
          position,
          ...(useful ? { matching: how } : {}),
        };
      }),
    fc.tuple(tie('vector'), number).map(([left, right]): Expr => {
      const inner: Expr = { kind: 'paren', expr: left, position };
      return { kind: 'binary', op: '>=', opPosition: position, left: inner, right, bool: true, position };
    }),
  ),
  range: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    matrix,
    fc.tuple(tie('vector'), length, fc.option(length, { nil: undefined }), modifiers).map(([inner, range, step, more]): Expr => {
      const expr: Expr = { kind: 'paren', expr: inner, position };
      return { kind: 'subquery', expr, range, position, ...(step === undefined ? {} : { step }), ...more };
    }),
  ),
}));

describe('printing', () => {
  test('any tree reads back as itself from one line and from many', () => {
    fc.assert(
      fc.property(vector, (expr) => {
        const once = reparsed(printExpr(expr));
        assert.deepEqual(bare(once), bare(expr));
        assert.deepEqual(bare(reparsed(formatExpr(expr))), bare(expr));
        assert.equal(printExpr(once), printExpr(expr));
      }),
      { numRuns: 500 },
    );
  });

  for (const [written, want] of [
    ['sum(rate(a[5m]))by(job)', 'sum by (job) (rate(a[5m]))'],
    ["{__name__='a',b=~'c'}", '{__name__="a",b=~"c"}'],
    ['a  offset  -90s @ 10', 'a @ 10.000 offset -1m30s'],
    ['a+on(b)group_left c', 'a + on (b) group_left () c'],
    ['a[1h:]', 'a[1h:]'],
    ['rate(a[1m] ANCHORED offset 1m)', 'rate(a[1m] offset 1m anchored)'],
    ['a smoothed @ 1', 'a @ 1.000 smoothed'],
    ['1h30m * 0x10', '1h30m * 16'],
    ['{"a.b"}', '{__name__="a.b"}'],
  ] as const)
    test(`${written} becomes ${want}`, () => assert.equal(printExpr(reparsed(written)), want));

  test('long expressions are broken at their joints', () => {
    const long = `sum by (job, instance) (rate(http_requests_total{handler="/api/v1/query", code=~"5.."}[5m])) / on (job) group_left () sum by (job) (up)`;
    assert.equal(
      formatExpr(reparsed(long)),
      `  sum by (job, instance) (rate(http_requests_total{handler="/api/v1/query",code=~"5.."}[5m]))\n/ on (job) group_left ()\n  sum by (job) (up)`,
    );
  });
});
