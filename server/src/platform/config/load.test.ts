import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { z } from 'zod';
import { duration, hostAndPort, percent, requestHeaders, Secret, secret, slug } from './fields.ts';
import { formatProblem, loadConfig } from './load.ts';

const check = z.discriminatedUnion('kind', [
  z.strictObject({ id: slug, kind: z.literal('http'), url: z.url(), interval: duration({ minMs: 1000 }).default(30_000 as never) }),
  z.strictObject({ id: slug, kind: z.literal('tcp'), address: hostAndPort }),
]);
const schema = z.strictObject({
  server: z
    .strictObject({ listen: hostAndPort.prefault('127.0.0.1:7070'), open: z.boolean().default(false), name: z.string().default('x') })
    .prefault({}),
  state: z.strictObject({ url: secret.optional() }).prefault({}),
  services: z.array(z.strictObject({ id: slug, checks: z.array(check).default([]) })).default([]),
  target: percent.optional(),
  level: z.enum(['debug', 'info']).default('info'),
  limit: z
    .strictObject({ low: z.number().default(5), high: z.number().default(10) })
    .superRefine(({ low, high }, context) => {
      if (low > high) context.addIssue({ code: 'custom', message: 'low is above high', path: ['low'] });
    })
    .prefault({}),
});

function fileWith(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'nines-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'nines.yml'), text);
  return join(directory, 'nines.yml');
}

/** The problems of a text, as printed, without the folder. */
function problemsOf(t: TestContext, text: string, env: Record<string, string> = {}): readonly string[] {
  const loaded = loadConfig({ schema, file: fileWith(t, text), env });
  assert.equal(loaded.ok, false, 'expected problems');
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(/^.*\/nines\.yml/, 'nines.yml'));
}

describe('the configuration', () => {
  it('has a default for everything, with an empty file or none', (t) => {
    for (const file of [undefined, fileWith(t, ''), fileWith(t, '# nothing\n')]) {
      const loaded = loadConfig({ schema, file });
      assert.ok(loaded.ok);
      assert.deepEqual(loaded.config.server, { listen: { host: '127.0.0.1', port: 7070 }, open: false, name: 'x' });
    }
  });

  it('names an unknown key with its place and the nearest known one', (t) => {
    assert.deepEqual(problemsOf(t, 'server:\n  lisen: 1.2.3.4:5\n'), [
      'nines.yml:2:3: unknown key "lisen" in server; did you mean "listen"?',
    ]);
    assert.deepEqual(problemsOf(t, 'servcies: []\n'), ['nines.yml:1:1: unknown key "servcies"; did you mean "services"?']);
    assert.deepEqual(problemsOf(t, 'services:\n  - id: a\n    checks:\n      - { id: b, kind: tcp, address: "h:1", whatever: 2 }\n'), [
      'nines.yml:4:45: unknown key "whatever" in services[0].checks[0]',
    ]);
  });

  it('suggests no key that is already written: one of another alternative is only in the wrong place', (t) => {
    const either = z.strictObject({
      rule: z.union([z.strictObject({ all: z.string() }), z.strictObject({ of: z.string(), least: z.number() })]),
    });
    const result = loadConfig({ schema: either, file: fileWith(t, 'rule: { all: a, of: b }\n') });
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ message }) => message),
      ['unknown key "of" in rule'],
    );
  });

  it('says what was expected where a value is impossible', (t) => {
    const cases: [text: string, want: string][] = [
      [
        'server:\n  listen: 127.0.0.1:70700\n',
        'nines.yml:2:11: server.listen: not an address: "127.0.0.1:70700" (write for example 127.0.0.1:7070 or [::1]:7070)',
      ],
      ['server: 5\n', 'nines.yml:1:9: server: Invalid input: expected object, received number'],
      ['level: inof\n', 'nines.yml:1:8: level: Invalid option: expected one of "debug"|"info"; did you mean "info"?'],
      [
        'services:\n- id: a\n  checks: [{ id: b, kind: htpp }]\n',
        `nines.yml:3:27: services[0].checks[0].kind: Invalid discriminator value. Expected 'http' | 'tcp'; did you mean "http"?`,
      ],
      [
        'services:\n- id: a\n  checks:\n  - { id: b, kind: http, url: "http://x", interval: 500ms }\n',
        'nines.yml:4:53: services[0].checks[0].interval: 500ms is out of range',
      ],
      ['services:\n- checks: []\n', 'nines.yml:2:3: missing key "id" in services[0]'],
      ['target: 101%\n', 'nines.yml:1:9: target: a ratio is at most 100%: "101%"'],
      ['limit:\n  high: 1\n', 'nines.yml:2:3: limit.low: low is above high'],
    ];
    for (const [text, want] of cases) assert.deepEqual(problemsOf(t, text), [want]);
  });

  it('reports all problems at once', (t) => {
    assert.equal(problemsOf(t, 'a: 1\nb: 2\nserver: { open: perhaps }\n').length, 3);
  });

  it('places faults of the YAML itself: indentation, duplicate keys, alias bombs', (t) => {
    assert.match(problemsOf(t, 'server:\n  open: true\n open: false\n')[0] ?? '', /^nines\.yml:3:1: /);
    assert.match(problemsOf(t, 'level: info\nlevel: debug\n')[0] ?? '', /^nines\.yml:2:1: .*unique/i);
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdef'[i]},`.repeat(9)}]`),
    ].join('\n');
    assert.match(problemsOf(t, bomb)[0] ?? '', /alias/i);
    assert.match(problemsOf(t, `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}\n`)[0] ?? '', /^nines\.yml:1:\d+: nested too deeply$/);
    assert.match(problemsOf(t, '__proto__: { level: debug }\n')[0] ?? '', /unknown key "__proto__"/);
  });

  it('says so when the file cannot be read or is not UTF-8', (t) => {
    const missing = loadConfig({ schema, file: '/nowhere/nines.yml' });
    assert.ok(!missing.ok);
    assert.match(formatProblem(missing.problems[0] ?? assert.fail()), /^\/nowhere\/nines\.yml:1:1: cannot read the configuration: ENOENT/);
    const file = fileWith(t, '');
    writeFileSync(file, Buffer.from([0x61, 0xff, 0xfe]));
    assert.equal(loadConfig({ schema, file }).ok, false);
  });

  it('refuses headers that no request can carry, without showing their values', () => {
    const faults = (headers: Record<string, string>) =>
      (requestHeaders.safeParse(headers).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
    assert.deepEqual(faults({ authorization: 'Bearer abc', Host: 'shop', 'x-ümlaut': 'a' }), ['x-ümlaut: not a header name: "x-ümlaut"']);
    assert.deepEqual(faults({ 'a b': 'c' }), ['a b: not a header name: "a b"']);
    assert.deepEqual(faults({ a: 'secret\r\nx: y' }), ['a: a header value is one line without control characters']);
    assert.deepEqual(faults({ 'Content-Length': '5' }), ['Content-Length: this header is set by the request itself']);
    assert.equal(JSON.stringify(requestHeaders.parse({ __proto: 'x', a: 'b' })), '{"__proto":"[redacted]","a":"[redacted]"}');
  });

  it('refuses what is no regular file instead of reading it for ever', () => {
    const cases = [
      [tmpdir(), /cannot read the configuration: it is a directory, not a file$/],
      ['/dev/zero', /cannot read the configuration: it is not a regular file$/],
    ] as const;
    for (const [file, want] of cases) {
      const loaded = loadConfig({ schema, file });
      assert.match(loaded.ok ? '' : formatProblem(loaded.problems[0] ?? assert.fail()), want);
    }
  });

  it('takes environment over file and flags over environment', (t) => {
    const file = fileWith(t, 'server: { listen: "1.1.1.1:1", name: a }\nlevel: debug\nservices: [{ id: a }]\n');
    const env = {
      NINES__SERVER__LISTEN: '2.2.2.2:2',
      NINES__SERVER__NAME: '1234',
      NINES__SERVER__OPEN: 'true',
      NINES__SERVICES__0__ID: 'b',
      OTHER: 'x',
    };
    const flags = [{ path: ['server', 'listen'], value: '3.3.3.3:3', source: '--listen' }];
    const loaded = loadConfig({ schema, file, env, flags });
    assert.ok(loaded.ok);
    assert.deepEqual(loaded.config.server, { listen: { host: '3.3.3.3', port: 3 }, open: true, name: '1234' });
    assert.deepEqual([loaded.config.services[0]?.id, loaded.config.level], ['b', 'debug']);
  });

  it('names the variable or flag that is wrong, not a line of the file', (t) => {
    assert.deepEqual(problemsOf(t, '', { NINES__SERVER__LISTN: 'x' }), [
      'NINES__SERVER__LISTN: unknown key "listn" in server; did you mean "listen"?',
    ]);
    assert.deepEqual(problemsOf(t, 'server: { listen: "1.1.1.1:1" }\n', { NINES__SERVER__LISTEN: 'x' }), [
      'NINES__SERVER__LISTEN: server.listen: not an address: "x" (write for example 127.0.0.1:7070 or [::1]:7070)',
    ]);
  });

  it('reads secrets from files that the environment names, and never prints them', (t) => {
    const file = fileWith(t, '');
    const secretFile = fileWith(t, 'postgresql://u:p@h/d\n');
    const loaded = loadConfig({ schema, file, env: { NINES__STATE__URL_FILE: secretFile } });
    assert.ok(loaded.ok);
    assert.ok(loaded.config.state.url instanceof Secret);
    assert.equal(loaded.config.state.url.reveal(), 'postgresql://u:p@h/d');
    assert.equal(`${JSON.stringify(loaded.config.state)} ${String(loaded.config.state.url)}`, '{"url":"[redacted]"} [redacted]');
    assert.deepEqual(problemsOf(t, '', { NINES__STATE__URL_FILE: '/nowhere' })[0]?.replace(/:.*/, ''), 'NINES__STATE__URL_FILE');
  });

  it('is frozen, and says where each object is declared', (t) => {
    const file = fileWith(t, 'services:\n  - id: a\n\n  - id: b\n');
    const loaded = loadConfig({ schema, file });
    assert.ok(loaded.ok);
    assert.ok(Object.isFrozen(loaded.config.services[0]));
    assert.deepEqual([loaded.place(['services', 1]), loaded.place(['services', 2])], [`${file}:4`, '']);
    assert.equal(loaded.problemAt(['services', 1, 'id'], 'no').line, 4);
  });

  it('keeps percentages as the exact decimals that were written', (t) => {
    for (const text of ['99.9%', '0.999', '"99.90 %"']) {
      const loaded = loadConfig({ schema, file: fileWith(t, `target: ${text}\n`) });
      assert.ok(loaded.ok && loaded.config.target !== undefined);
      const { numerator, denominator } = loaded.config.target;
      assert.equal(numerator * 1000n, denominator * 999n, text);
    }
  });
});
