/** The security standard that the product is held to, item by item: `docs/asvs.yml`. A test that is removed or renamed breaks the build here. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';

const house = dirname(dirname(import.meta.dirname));
const read = (path: string): string => readFileSync(join(house, path), 'utf8');
/** Sources of the product alone, without what tests are made of. */
const sources = (patterns: readonly string[]): readonly string[] =>
  globSync([...patterns], { cwd: house })
    .filter((path) => !/\.test\.tsx?$|\/testing\//.test(path))
    .sort();

const words = z.string().trim().min(1);
const evidence = z.record(z.string(), words);
const item = z.strictObject({
  id: z.string().regex(/^V\d+\.\d+\.\d+$/),
  level: z.union([z.literal(1), z.literal(2)]),
  means: words,
  proven: z.array(evidence).min(1).optional(),
  documented: z.array(evidence).min(1).optional(),
  not_applicable: words.min(12).optional(),
  open: words.min(12).optional(),
});
type Item = z.infer<typeof item>;
const book = z.strictObject({ standard: z.literal('OWASP ASVS 5.0.0'), items: z.array(item) });
const standard = z.strictObject({ source: words, level1: z.array(words), level2: z.array(words) });

const { items } = book.parse(parse(read('docs/asvs.yml')));
const { level1, level2 } = standard.parse(JSON.parse(read('test/house/asvs-5.0.0.json')));

/** The sections of the standard that ask for documents; nothing else is proven by a document alone. */
const DOCUMENTS = new Set(['V2.1', 'V3.1', 'V5.1', 'V6.1', 'V7.1', 'V8.1', 'V11.1', 'V13.1', 'V14.1', 'V15.1', 'V16.1']);
/** That something is not done, such as passwords that expire, has no test. */
const ABSENT = new Set(['V6.2.10', 'V6.8.4']);

type Status = 'proven' | 'not applicable' | 'open';
function statusOf({ id, proven, documented, not_applicable: why, open }: Item): Status {
  const all: readonly (Status | undefined)[] = [
    proven === undefined && documented === undefined ? undefined : 'proven',
    why === undefined ? undefined : 'not applicable',
    open === undefined ? undefined : 'open',
  ];
  const said = all.filter((status) => status !== undefined);
  const [status] = said;
  assert.ok(said.length === 1 && status !== undefined, `${id} is ${said.join(' and ') || 'neither proven nor not applicable nor open'}`);
  return status;
}

/** The names of tests as the file writes them; of a skipped one there is none. */
const namesIn = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^[ \t]*(?:await )?(?:t\.)?(?:test|it)\(\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/gm)].map((match) =>
      (match[2] ?? '').replaceAll(/\\(['"`])/g, '$1'),
    ),
  );

test('every test that proves an item is there, under this name', () => {
  const known = new Map<string, ReadonlySet<string>>();
  for (const { id, proven = [] } of items) {
    for (const [file, name] of proven.flatMap((one) => Object.entries(one))) {
      assert.match(file, /\.test\.ts$/, id);
      const names = known.get(file) ?? namesIn(read(file));
      known.set(file, names);
      assert.ok(names.has(name), `${id} is proven by "${name}", which ${file} does not have`);
    }
  }
  assert.ok(known.size > 30);
  assert.deepEqual([...namesIn("  test('a', f);\n  it(\n    `b`, f);\n// test('c')\ntest.skip('d');")], ['a', 'b']);
});

test('every document that an item names says what it is said to', () => {
  for (const { id, proven, documented = [] } of items) {
    for (const [file, said] of documented.flatMap((one) => Object.entries(one))) {
      assert.ok(read(file).includes(said), `${id} is documented by "${said}", which ${file} does not say`);
    }
    const alone = documented.length > 0 && proven === undefined;
    assert.ok(!alone || DOCUMENTS.has(id.slice(0, id.lastIndexOf('.'))) || ABSENT.has(id), `${id} asks for more than a document`);
  }
});

test('every item of levels 1 and 2 is there once, under its level', () => {
  assert.deepEqual([level1.length, level2.length], [70, 183]);
  const ids = (level: 1 | 2): readonly string[] => items.filter((one) => one.level === level).map(({ id }) => id);
  assert.deepEqual([...ids(1)].sort(), [...level1].sort());
  assert.deepEqual([...ids(2)].sort(), [...level2].sort());
});

test('SECURITY.md counts as the file does, and names what is open', () => {
  const text = read('SECURITY.md');
  for (const level of [1, 2] as const) {
    const found = items.filter((one) => one.level === level).map(statusOf);
    const count = (status: Status): number => found.filter((one) => one === status).length;
    const row = `| ${level} | ${found.length} | ${count('proven')} | ${count('not applicable')} | ${count('open')} |`;
    assert.ok(text.includes(`\n${row}\n`), `SECURITY.md is to say ${row}`);
  }
  for (const { id } of items.filter((one) => statusOf(one) === 'open'))
    assert.match(text, new RegExp(`\\b${id.replaceAll('.', '\\.')}\\b(?!\\.)`), id);
});

const CODE = ['server/src/**/*.ts', 'packages/*/src/**/*.ts', 'cli/src/**/*.ts'];

/** What others ask for in a protocol of theirs, and why it harms nobody. */
const OLD_HASHES: Readonly<Record<string, string>> = {
  'packages/model/src/relabel.ts': 'Prometheus shards targets by MD5',
  'server/src/checks/kinds/mysql/packets.ts': 'how MySQL asks for passwords',
  'server/src/checks/kinds/websocket/ask.ts': 'the handshake of RFC 6455',
  'server/src/factors/totp.ts': 'HMAC-SHA-1 of RFC 6238, which apps expect and no collision breaks',
  'server/src/notify/signatures.ts': 'signatures of messages that providers send, by their rules',
  'server/src/notify/sms/sms.ts': 'signatures of messages that providers send, by their rules',
  'server/src/rules/routes.ts': 'names of pages as Prometheus gives them',
};

test('nothing that is delivered imports what tests are made of', () => {
  const found = sources([...CODE, 'web/src/**/*.ts', 'web/src/**/*.tsx']);
  const imports = /(?:from|import\() ?'(?:[^']*\/testing\/[^']*|[^']*test\/harness\/[^']*|[^']*\.test\.tsx?|node:test|fast-check)'/;
  assert.ok(found.length > 300);
  assert.deepEqual(
    found.filter((path) => imports.test(read(path))),
    [],
  );
  assert.match("import { poll } from '../../test/harness/poll.ts';", imports);
});

test('only listed algorithms are used: AES-GCM, SHA-2, and others where a protocol of others asks for them', () => {
  const files = sources(CODE);
  assert.ok(files.length > 300);
  const weak = files.filter((path) => /['"](sha-?1|md[45]|ripemd160)['"]|\bmd5\(/i.test(read(path)) && !path.endsWith('/md5.ts'));
  assert.deepEqual(weak, Object.keys(OLD_HASHES));
  const ciphers = files.flatMap((path) => [
    ...read(path).matchAll(/['"]((?:id-)?(?:aes|des|rc[24]|bf|camellia|aria|chacha)[\w]*-[\w-]+)['"]/gi),
  ]);
  assert.deepEqual([...new Set(ciphers.map((match) => match[1]))].sort(), ['aes-128-gcm', 'aes-256-gcm']);
  const elsewhere = files.filter((path) => /RSA_PKCS1_PADDING|pseudoRandomBytes|Math\.random\(/.test(read(path)));
  assert.deepEqual(elsewhere, ['server/src/platform/ids.ts'], 'guessable numbers spread delays, nothing else');
});

test('fields for passwords hide what is typed, and let managers of passwords fill them', () => {
  const pages = sources(['web/src/**/*.tsx']);
  const fields = pages.flatMap((path) =>
    [...read(path).matchAll(/<PasswordInput\b[\s\S]*?\/>/g)].map((match) => ({ path, field: match[0] })),
  );
  assert.ok(fields.length >= 5);
  for (const { path, field } of fields) assert.match(field, /autoComplete="(current|new)-password"/, `${path}: ${field}`);
  for (const path of pages) {
    assert.doesNotMatch(read(path), /onPaste=/, path);
    assert.doesNotMatch(read(path), /<TextInput\b[^>]*label="[^"]*password[^"]*"/i, path);
  }
});

test('browsers store nothing but the colours, the language, that a page was loaded anew, how many recovery codes are left, and the queries of Explore and what was opened last until one signs out', () => {
  const stores = sources(['web/src/**/*.{ts,tsx}']).filter((path) =>
    /localStorage|sessionStorage|indexedDB|document\.cookie|\bcaches\./.test(read(path)),
  );
  assert.deepEqual(stores, [
    'web/src/explore/remembered.ts',
    'web/src/language/language.ts',
    'web/src/main.tsx',
    'web/src/palette/recents.ts',
    'web/src/shell/recovery-notice.tsx',
    'web/src/theme.ts',
  ]);
});

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const locked = z.object({
  packages: z.record(
    z.string(),
    z.object({
      link: z.boolean().optional(),
      inBundle: z.boolean().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
    }),
  ),
});

test('every dependency is pinned to one version, with a digest, and comes from the registry', () => {
  const versions = globSync(['package.json', '{server,cli,web}/package.json', 'packages/*/package.json'], { cwd: house }).flatMap(
    (path) => {
      const { dependencies, optionalDependencies } = manifest.parse(JSON.parse(read(path)));
      return Object.entries({ ...dependencies, ...optionalDependencies }).filter(([name]) => !name.startsWith('@nines/'));
    },
  );
  assert.ok(versions.length > 20);
  for (const [name, version] of versions) assert.match(version, /^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, name);
  const { packages } = locked.parse(JSON.parse(read('package-lock.json')));
  for (const [name, { link, inBundle, resolved, integrity }] of Object.entries(packages)) {
    if (!name.includes('node_modules/') || link === true || inBundle === true) continue;
    assert.match(integrity ?? '', /^sha512-/, name);
    assert.match(resolved ?? 'https://registry.npmjs.org/', /^https:\/\/registry\.npmjs\.org\//, name);
  }
});
