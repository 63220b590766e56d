import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '@nines/server/config.ts';
import { formatProblem } from '@nines/server/platform/config/load.ts';

const house = dirname(dirname(import.meta.dirname));

const withConfigurations = globSync(['README.md', 'docs/*.md'], { cwd: house }).filter((document) =>
  readFileSync(join(house, document), 'utf8').includes('```yaml'),
);
assert.ok(withConfigurations.length >= 4);

for (const document of withConfigurations) {
  test(`every configuration in ${document} is accepted as it stands`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'docs-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const text = readFileSync(join(house, document), 'utf8');
    const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    for (const [index, block] of blocks.entries()) {
      const file = join(folder, `${index}.yml`);
      // A dashboard is a file of its own, which a configuration names.
      if (/^id: .*\n[^]*^panels:/m.test(block)) {
        writeFileSync(join(folder, 'dashboard.yml'), block);
        writeFileSync(file, 'dashboards: { files: [dashboard.yml] }\n');
      } else writeFileSync(file, block.replace('postgres://…', 'postgres://db'));
      const read = readConfig({ file });
      assert.ok(read.ok, read.ok ? '' : `block ${index}: ${read.problems.map(formatProblem).join('\n')}`);
    }
  });
}

test('every file and folder that the map names is there', () => {
  const map = ['ARCHITECTURE.md', 'SECURITY.md'].map((name) => readFileSync(join(house, name), 'utf8')).join('\n');
  const named = [...map.matchAll(/`((?:packages|server|web|cli|test|bench|scripts)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(house, path))),
    [],
  );
});

test('the map names every room of the server and of its platform', () => {
  const map = readFileSync(join(house, 'ARCHITECTURE.md'), 'utf8');
  const rooms = ['server/src', 'server/src/platform'].flatMap((folder) =>
    globSync('*/', { cwd: join(house, folder) }).map((name) => name.replace(/\/$/, '')),
  );
  assert.ok(rooms.length > 40);
  assert.deepEqual(
    rooms.filter((room) => room !== 'testing' && !map.includes(`\`${room}\``) && !map.includes(`\`server/src/${room}\``)),
    [],
  );
});

for (const document of globSync(['{README,ARCHITECTURE,CHANGELOG,CONTRIBUTING,SECURITY}.md', 'docs/**/*.md', 'bench/*.md', 'web/*.md'], {
  cwd: house,
})) {
  test(`the links of ${document} lead somewhere`, () => {
    const text = readFileSync(join(house, document), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      targets.filter((target) => !existsSync(join(house, dirname(document), target))),
      [],
    );
  });
}
