import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { VERSION } from '@nines/server/version.ts';

test('the version is the same in the program and in every package', () => {
  const house = dirname(dirname(import.meta.dirname));
  for (const path of ['.', 'server', 'cli', 'library', 'web', 'packages/base']) {
    const { version } = JSON.parse(readFileSync(join(house, path, 'package.json'), 'utf8')) as { readonly version: string };
    assert.equal(version, VERSION, path);
  }
});
