import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const house = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const core = join(house, 'node_modules/@mantine/core');
const LISTED = join(house, 'web/src/styles/mantine.css');
const FROM_CORE = /import\s+(?!type\b)\{([^}]*)\}\s+from\s+'@mantine\/core'/g;
const RELATIVE = /from\s+"(\.[^"]+)"/g;

const fileOf = (component: string): string => join(core, 'esm/components', component, `${component}.mjs`);

/** The components of Mantine that the pages use. */
function usedComponents(): string[] {
  const names = globSync(join(house, 'web/src/**/*.{ts,tsx}')).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(FROM_CORE)].flatMap(([, list = '']) => list.split(',').map((name) => name.trim())),
  );
  return [...new Set(names)].filter((name) => existsSync(fileOf(name)));
}

/** The style sheets of these components and of the components that they are made of, in the order of Mantine's own sheet. */
function sheetsOf(components: readonly string[]): string[] {
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(RELATIVE)) follow(join(dirname(file), path));
  };
  for (const name of components) follow(fileOf(name));
  const sheets = [...seen].filter((file) => file.endsWith('.module.mjs')).map((file) => basename(file, '.module.mjs'));
  const whole = readFileSync(join(core, 'styles.css'), 'utf8');
  const placeOf = (name: string): number => {
    const place = whole.indexOf(readFileSync(join(core, `styles/${name}.css`), 'utf8').trim());
    assert.ok(place >= 0, `${name}.css is a part of styles.css`);
    return place;
  };
  return ['baseline', 'default-css-variables', 'global', ...sheets].sort((a, b) => placeOf(a) - placeOf(b));
}

test('the styles of exactly those components of Mantine are loaded that the pages use', () => {
  const needed = sheetsOf(usedComponents()).map((name) => `@import "@mantine/core/styles/${name}.layer.css";`);
  const listed = readFileSync(LISTED, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('@import'));
  assert.ok(needed.length > 10);
  assert.deepEqual(listed, needed);
});
