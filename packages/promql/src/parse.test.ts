import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Expr } from './ast.ts';
import { lex } from './lex.ts';
import { parseExpr } from './parse.ts';

function parsed(text: string): Expr {
  const result = parseExpr(text);
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value;
}

describe('lexing', () => {
  const values = (text: string): readonly number[] => lex(text).map((token) => token.value);

  test('numbers are decimal, hexadecimal, octal after a zero, and may hold underscores', () => {
    assert.deepEqual(values('1 .5 2. 1e3 1_000.5 0x1F 010 08'), [1, 0.5, 2, 1000, 1000.5, 31, 8, 8, 0]);
  });

  test('durations are numbers of seconds', () => {
    assert.deepEqual(values('5m 1h30m 500ms 1d'), [300, 5400, 0.5, 86400, 0]);
  });

  test('tokens know where they stand, comments and space are nothing', () => {
    const tokens = lex('up # the target\n  == 1');
    assert.deepEqual(
      tokens.map(({ text, from, to }) => [text, from, to]),
      [
        ['up', 0, 2],
        ['==', 18, 20],
        ['1', 21, 22],
        ['', 22, 22],
      ],
    );
  });

  test('a colon belongs to a metric name but splits a subquery', () => {
    assert.deepEqual(
      lex('a:b[5m:step()]').map((token) => token.text),
      ['a:b', '[', '5m', ':', 'step', '(', ')', ']', ''],
    );
  });
});

describe('strings', () => {
  const text = (literal: string): string => {
    const expr = parsed(literal);
    assert.equal(expr.kind, 'string');
    return expr.kind === 'string' ? expr.value : '';
  };

  test('take Go escapes in both kinds of quotes', () => {
    assert.equal(text(String.raw`"a\n\t\"\\\x41\101\u00e9\U0001F600"`), 'a\n\t"\\AAé😀');
    assert.equal(text(String.raw`'it\'s'`), "it's");
  });

  test('take none in backquotes', () => {
    assert.equal(text('`a\\n"b"`'), 'a\\n"b"');
  });

  test('join escaped bytes to a character, and keep a byte that is no text recognisable', () => {
    assert.equal(text(String.raw`"\xc3\xa9"`), 'é');
    assert.equal(text(String.raw`"\xff"`).isWellFormed(), false);
  });
});

describe('precedence', () => {
  /** The shape with all parentheses written out. */
  function shape(expr: Expr): string {
    if (expr.kind === 'binary') return `(${shape(expr.left)} ${expr.op} ${shape(expr.right)})`;
    if (expr.kind === 'unary') return `(${expr.op}${shape(expr.expr)})`;
    if (expr.kind === 'number') return String(expr.value);
    return expr.kind === 'selector' ? (expr.name ?? '') : expr.kind;
  }

  for (const [text, want] of [
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['-1 ^ 2', '(-(1 ^ 2))'],
    ['2 ^ -1', '(2 ^ -1)'],
    ['-a * b', '((-a) * b)'],
    ['a - b - c', '((a - b) - c)'],
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a + b > c * d', '((a + b) > (c * d))'],
    ['a atan2 b % c', '((a atan2 b) % c)'],
  ] as const)
    test(`${text} is ${want}`, () => assert.equal(shape(parsed(text)), want));
});

describe('positions', () => {
  test('span the text of each node', () => {
    const text = 'sum by (job) (rate(http_total{code="500"}[5m] offset 1m)) > 3';
    const seen: string[] = [];
    const visit = (expr: Expr): void => {
      seen.push(text.slice(expr.position.from, expr.position.to));
      if (expr.kind === 'binary') [expr.left, expr.right].forEach(visit);
      if (expr.kind === 'aggregate') visit(expr.expr);
      if (expr.kind === 'call') expr.args.forEach(visit);
    };
    visit(parsed(text));
    assert.deepEqual(seen, [
      text,
      'sum by (job) (rate(http_total{code="500"}[5m] offset 1m))',
      'rate(http_total{code="500"}[5m] offset 1m)',
      'http_total{code="500"}[5m] offset 1m',
      '3',
    ]);
  });
});

describe('keywords', () => {
  test('may be written in any case', () => {
    assert.equal(parsed('SUM(a) BY (job) AND b').kind, 'binary');
  });

  test('may be names of metrics and labels where they mean nothing else', () => {
    assert.equal(parsed('sum{by="x"}').kind, 'selector');
    assert.equal(parsed('sum by (by, on) (group)').kind, 'aggregate');
    assert.equal(parsed('offset offset 5m').kind, 'selector');
  });

  test('a quoted name may hold anything', () => {
    const expr = parsed('{"my.metric", "label one"="x"}');
    assert.ok(expr.kind === 'selector');
    assert.deepEqual(
      expr.matchers.map(({ name, value }) => [name, value]),
      [
        ['__name__', 'my.metric'],
        ['label one', 'x'],
      ],
    );
  });
});

describe('errors', () => {
  for (const [text, want] of [
    ['', '1:1: parse error: no expression found in input'],
    ['1 +', '1:4: parse error: unexpected end of input'],
    ['sum(up', '1:7: parse error: unclosed left parenthesis'],
    ['up{job="a"', '1:11: parse error: unexpected end of input inside braces'],
    ['up{job=}', '1:8: parse error: unexpected "}" in label matching, expected string'],
    ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
    ['foo\n  and\n  )', "3:4: parse error: unexpected right parenthesis ')'"],
    ['5mm', '1:1: parse error: bad number or duration syntax: "5mm"'],
    ['"abc', '1:1: parse error: unterminated quoted string'],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['{job=""}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['up{__name__="down"}', '1:1: parse error: metric name must not be set twice: "up" or "down"'],
    ['nope(up)', '1:1: parse error: unknown function with name "nope"'],
    ['rate(up)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
    ['rate()', '1:1: parse error: expected 1 argument(s) in call to "rate", got 0'],
    ['round(up, 1, 2)', '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
    ['1 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['1 and up', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['up + bool up', '1:4: parse error: bool modifier can only be used on comparison operators'],
    ['up + on(a) group_left(a) up', '1:4: parse error: label "a" must not occur in ON and GROUP clause at once'],
    [
      '1 offset 5m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['up offset 5m offset 5m', '1:14: parse error: offset may not be set multiple times'],
    ['sum(up)[5m]', '1:8: parse error: ranges only allowed for vector selectors'],
    ['topk(up)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1'],
    ['time()[5m:1m]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
    ['{a="é"} +\n  {a="é"} 1', '2:12: parse error: unexpected number "1"'],
    // Whatever stands before the first text that is no token is looked at first.
    ['1 ( "', '1:3: parse error: unexpected "("'],
    ['up{job="a", 5}', "1:13: parse error: unexpected character inside braces: '5'"],
    ['up =~ "a"', "1:4: parse error: unexpected character after '=': '~'"],
    ['nope(1 +)', '1:9: parse error: unexpected ")"'],
    ['on', '1:1: parse error: unexpected <on>'],
    ['sum(up, )', '1:7: parse error: trailing commas not allowed in function call args'],
    ['up{__name__=~"d.*"}', '1:1: parse error: metric name must not be set twice: "up" or "d.*"'],
    ['rate(up[5m] @ 1e300)', '1:6: parse error: timestamp out of bounds for @ modifier: 1e300'],
    ['up{a=~"("}', undefined],
  ] as const)
    test(`${JSON.stringify(text)} is refused with its place`, () => {
      const result = parseExpr(text);
      assert.ok(!result.ok);
      if (want !== undefined) assert.equal(result.error.message, want);
      assert.match(result.error.message, /^\d+:\d+: parse error: /);
      assert.equal(result.error.type, 'bad_data');
    });

  for (const [what, text] of [
    ['parentheses', '('.repeat(20_000) + '1' + ')'.repeat(20_000)],
    ['signs', '-'.repeat(20_000) + '1'],
    ['powers', '1' + '^1'.repeat(20_000)],
    ['sums', '1' + '+1'.repeat(20_000)],
    ['calls', 'abs('.repeat(20_000) + 'up' + ')'.repeat(20_000)],
    ['signs of a duration', `up[${'-'.repeat(20_000)}5m]`],
    ['parentheses in a duration', `up[${'('.repeat(20_000)}5m${')'.repeat(20_000)}]`],
    ['sums in a duration', `up[5m${'+5m'.repeat(20_000)}]`],
  ] as const)
    test(`20 000 ${what} are an error, not an overflow`, () => {
      const result = parseExpr(text);
      assert.ok(!result.ok);
      assert.match(result.error.message, /nested deeper than 500 levels|more than 1000 binary operators/);
    });
});

describe('whatever is written', () => {
  const words = 'sum rate up by on bool group_left offset @ start end and or atan2 inf fill'.split(' ');
  const signs = [
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '=',
    '!=',
    '=~',
    '==',
    '+',
    '-',
    '*',
    '/',
    '^',
    '<',
    ' ',
    '\n',
    '#',
    '"',
    "'",
    '`',
  ];
  const values = ['1', '5m', '0x', '1e', '.5', '"a"', '"\\xff"', 'é', '\u0000', 'step()', 'job="x"'];
  const piece = fc.constantFrom(...words, ...signs, ...values);

  test('parsing answers with a tree or with an error that has a place inside the text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        const result = parseExpr(text);
        if (result.ok) return;
        assert.equal(result.error.type, 'bad_data');
        const { position } = result.error;
        assert.ok(
          position !== undefined && position.from >= 0 && position.from <= text.length && position.line >= 1 && position.column >= 1,
        );
      }),
      { numRuns: 3000 },
    );
  });
});
