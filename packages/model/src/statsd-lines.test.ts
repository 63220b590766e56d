import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type StatsdSample, readStatsdLine, statsdLabelName, statsdMetricName } from './statsd-lines.ts';

function read(line: string): { readonly samples: readonly unknown[]; readonly faults: readonly string[] } {
  const samples: unknown[] = [];
  const faults: string[] = [];
  readStatsdLine(line, {
    sample: ({ name, tags, ...value }: StatsdSample) => void samples.push([name, Object.fromEntries(tags), value]),
    fault: (reason) => void faults.push(reason),
  });
  return { samples, faults };
}
const samplesOf = (line: string): readonly unknown[] => {
  const { samples, faults } = read(line);
  assert.deepEqual(faults, [], line);
  return samples;
};

test('every type is read, with its sample rate', () => {
  assert.deepEqual(samplesOf('a.b:3|c'), [['a.b', {}, { kind: 'counter', value: 3 }]]);
  assert.deepEqual(samplesOf('a:3|c|@0.5'), [['a', {}, { kind: 'counter', value: 6 }]]);
  assert.deepEqual(samplesOf('a:3.5|g'), [['a', {}, { kind: 'gauge', value: 3.5, isRelative: false }]]);
  assert.deepEqual(samplesOf('a:+3|g'), [['a', {}, { kind: 'gauge', value: 3, isRelative: true }]]);
  assert.deepEqual(samplesOf('a:-3|g'), [['a', {}, { kind: 'gauge', value: -3, isRelative: true }]]);
  assert.deepEqual(samplesOf('a:320|ms|@0.1'), [['a', {}, { kind: 'observation', value: 0.32, weight: 10 }]]);
  assert.deepEqual(samplesOf('a:320|h'), [['a', {}, { kind: 'observation', value: 320, weight: 1 }]]);
  assert.deepEqual(samplesOf('a:320|d|T1656581400|c:abc'), [['a', {}, { kind: 'observation', value: 320, weight: 1 }]]);
  assert.deepEqual(samplesOf('a:someone@x|s'), [['a', {}, { kind: 'set', member: 'someone@x' }]]);
});

test('several samples behind a name, several values of one, tags in every style', () => {
  const kinds = (line: string): unknown => samplesOf(line).map((sample) => (sample as readonly { readonly kind: string }[])[2]?.kind);
  assert.deepEqual(kinds('a:200|ms:300|ms:5|c|@0.1:6|g'), ['observation', 'observation', 'counter', 'gauge']);
  assert.deepEqual(kinds('a:1:2:3|h|#x:y:z,u:v'), ['observation', 'observation', 'observation']);
  for (const line of ['a:1|c|#x:y,u:v:w', 'a#x=y,u=v:1|c', 'a,x=y,u=v:1|c', 'a[x=y,u=v]:1|c']) {
    const [first] = samplesOf(line) as readonly (readonly [string, Record<string, string>])[];
    assert.deepEqual([first?.[0], first?.[1]], ['a', { x: 'y', u: line.includes('v:w') ? 'v:w' : 'v' }], line);
  }
});

test('what is wrong is told by its reason, and the rest of the line is taken', () => {
  const faults: Readonly<Record<string, string>> = {
    '': 'malformed_line',
    abc: 'malformed_line',
    ':1|c': 'malformed_line',
    'a:': 'malformed_line',
    'a:1': 'malformed_sample',
    'a:1|c|x': 'malformed_sample',
    'a:x|c': 'malformed_value',
    'a:|c': 'malformed_value',
    'a:NaN|g': 'malformed_value',
    'a:1e999|g': 'malformed_value',
    'a:-1|c': 'negative_counter',
    'a:1|c|@0': 'malformed_rate',
    'a:1|c|@2': 'malformed_rate',
    'a:1|q': 'unknown_type',
    [`${'n'.repeat(600)}:1|c`]: 'limit',
    [`a:1|c|#${Array.from({ length: 31 }, (_, i) => `t${i}:v`).join(',')}`]: 'limit',
  };
  for (const [line, reason] of Object.entries(faults)) assert.deepEqual(read(line), { samples: [], faults: [reason] }, line);
  assert.deepEqual(read('a:1|c|#x,y:z'), { samples: [['a', { y: 'z' }, { kind: 'counter', value: 1 }]], faults: ['malformed_tag'] });
  assert.equal(read('a:x|c:1|g').samples.length, 1);
});

test('any line is samples with finite values or a fault, and names can stand in a series', () => {
  const piece = fc.oneof(
    fc.constantFrom(':', '|', '#', '@', ',', '[', ']', '=', 'c', 'g', 'ms', 's', '1', '-2', '0.5', 'ü'),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      let answers = 0;
      readStatsdLine(pieces.join(''), {
        sample(sample) {
          answers++;
          assert.match(statsdMetricName(sample.name), /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
          for (const tag of sample.tags.keys()) assert.match(statsdLabelName(tag), /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/);
          if ('value' in sample) assert.ok(Number.isFinite(sample.value));
        },
        fault: () => void answers++,
      });
      assert.ok(answers > 0);
    }),
    { numRuns: 3000 },
  );
});
