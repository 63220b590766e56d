import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseInfluxLine } from './influx-lines.ts';

const RUNS = process.env['NINES_FULL'] === undefined ? 1_000 : 100_000;

test('a line gives its measurement, tags, numbers and instant', () => {
  const read = parseInfluxLine(
    'my\\ cpu\\,x,host=a\\=b,zone=,path=C:\\dir usage\\ idle=1.5e1,n=-3i,u=18446744073709551615u,up=T,text="a, \\"b\\" c=1",no=false 1700000000123456789',
    'ns',
  );
  assert.deepEqual(read, {
    ok: true,
    value: {
      measurement: 'my cpu,x',
      tags: [
        ['host', 'a=b'],
        ['path', 'C:\\dir'],
      ],
      fields: [
        { key: 'usage idle', value: 15 },
        { key: 'n', value: -3 },
        { key: 'u', value: 2 ** 64 },
        { key: 'up', value: 1 },
        { key: 'no', value: 0 },
      ],
      strings: 1,
      atMs: 1_700_000_000_123,
    },
  });
});

test('instants have a precision, and may be missing or before 1970', () => {
  const at = (stamp: string, precision: 'ns' | 'us' | 'ms' | 's' | 'm' | 'h') => {
    const read = parseInfluxLine(`m v=1 ${stamp}`, precision);
    return read.ok ? read.value?.atMs : read.error;
  };
  assert.deepEqual(
    [at('5', 's'), at('5', 'ms'), at('5999', 'us'), at('-1', 'ns'), at('2', 'm'), at('1', 'h'), at('', 's')],
    [5_000, 5, 5, -1, 120_000, 3_600_000, undefined],
  );
  assert.match(String(at('9223372036854775807', 's')), /out of range/);
  assert.match(String(at('soon', 's')), /bad timestamp/);
});

test('what is no line is refused in words, empty lines and comments are nothing', () => {
  for (const nothing of ['', '   ', '# comment']) assert.deepEqual(parseInfluxLine(nothing, 'ns'), { ok: true, value: undefined });
  const refused: readonly (readonly [string, RegExp])[] = [
    [',a=b v=1', /missing measurement/],
    ['m', /missing fields/],
    ['m,=b v=1', /missing tag key/],
    ['m,a v=1', /missing tag value/],
    ['m v', /missing field value/],
    ['m =1', /missing field key/],
    ['m v=', /invalid value/],
    ['m v=1x', /invalid value/],
    ['m v=NaN', /invalid value/],
    ['m v=9223372036854775808i', /invalid value/],
    ['m v="open', /unbalanced quotes/],
    ['m v="a"b', /unexpected/],
    ['m v=1 1 2', /bad timestamp/],
  ];
  for (const [line, reason] of refused) {
    const read = parseInfluxLine(line, 'ns');
    assert.match(read.ok ? 'read' : read.error, reason, line);
  }
});

test('what is written as the protocol says is read back, whatever its names hold', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'ü', ' ', ',', '=', '"', '.', '#') })
    .filter((text) => text.trim() === text && !text.startsWith('#'));
  const escaped = (text: string): string => text.replace(/[ ,=]/g, '\\$&');
  fc.assert(
    fc.property(
      name,
      fc.array(fc.tuple(name, name), { maxLength: 3 }),
      fc.array(
        fc.tuple(
          name,
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      (measurement, tags, fields) => {
        const line = `${[escaped(measurement), ...tags.map(([key, value]) => `${escaped(key)}=${escaped(value)}`)].join(',')} ${fields.map(([key, value]) => `${escaped(key)}=${String(value)}`).join(',')} 7`;
        const read = parseInfluxLine(line, 'ms');
        assert.ok(read.ok, `${line}: ${read.ok ? '' : read.error}`);
        assert.deepEqual(read.value, { measurement, tags, fields: fields.map(([key, value]) => ({ key, value })), strings: 0, atMs: 7 });
      },
    ),
    { numRuns: RUNS },
  );
});

test('arbitrary text is read or refused in words', () => {
  const line = fc.string({ maxLength: 60, unit: fc.constantFrom('a', '1', ' ', ',', '=', '"', '\\', '#', 'i', '-', 'é', '\u0000') });
  fc.assert(
    fc.property(fc.oneof(line, fc.string()), (text) => {
      const read = parseInfluxLine(text, 'ns');
      if (!read.ok) assert.ok(read.error.length > 5);
    }),
    { numRuns: RUNS },
  );
});
