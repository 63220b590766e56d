import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HOUSE, startNines } from '../harness/nines.ts';

/** The package as somebody else's project has it: packed, installed, compiled against with strict settings, and run. */
const project = mkdtempSync(join(tmpdir(), 'nines-consumer-'));

const STRICT = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    verbatimModuleSyntax: true,
    // The types of the package are examined themselves, not only what is done with them.
    skipLibCheck: false,
    outDir: 'out',
  },
  include: ['*.ts'],
};

function run(command: string, args: readonly string[], cwd: string): string {
  const ran = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    env: { ...process.env, NINES__SERVER__LISTEN: 'nonsense' },
  });
  assert.equal(ran.status, 0, `${command} ${args.join(' ')}: ${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

/** The examples of a page, in its order. */
const examplesOf = (page: string): readonly string[] =>
  [...readFileSync(join(HOUSE, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

before(() => {
  assert.ok(existsSync(join(HOUSE, 'library/dist/main.js')), 'npm run build makes library/dist');
  const packed = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], join(HOUSE, 'library')),
  ) as unknown;
  const { filename } = ([packed].flat()[0] ?? Object.values(packed as object)[0]) as { readonly filename: string };
  const installed = join(project, 'node_modules/@nines/library');
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1'], project);
  // The dependencies that it names, as a registry would give them.
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { readonly dependencies: object };
  for (const name of Object.keys(dependencies)) symlinkSync(join(HOUSE, 'node_modules', name), join(project, 'node_modules', name));
  mkdirSync(join(project, 'node_modules/@types'));
  for (const name of ['@types/node', 'undici-types']) {
    if (existsSync(join(HOUSE, 'node_modules', name))) symlinkSync(join(HOUSE, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(STRICT));
});
after(() => rmSync(project, { recursive: true }));

test('the examples of README.md and docs/library.md compile with strict settings and run', () => {
  const examples = ['README.md', 'docs/library.md', 'library/README.md'].flatMap((page) =>
    examplesOf(page).map((text, i) => ({ name: `${page.replaceAll(/\W/g, '-')}-${i}`, text })),
  );
  assert.ok(examples.length >= 3);
  for (const { name, text } of examples) writeFileSync(join(project, `${name}.ts`), text);
  run(process.execPath, [join(HOUSE, 'node_modules/typescript/bin/tsc'), '-p', project], project);
  const said = new Map(examples.map(({ name }) => [name, run(process.execPath, [join('out', `${name}.js`)], project)]));
  assert.match(said.get('README-md-0') ?? '', /orders 2[\s\S]*load (rising|falling|none)/);
  assert.match(said.get('docs-library-md-0') ?? '', /1 too_old[\s\S]*bad_query query[\s\S]*queue_length\{queue="mail"\} 7 /);
});

test('a data directory that a server has open is refused with a sentence that says so, and opens once the server ended', async () => {
  await using nines = await startNines();
  const program = `
    import { AppError, openMetrics } from '@nines/library';
    try {
      await using metrics = await openMetrics({ store: 'sqlite', path: process.argv[2] });
      const up = await metrics.query('max(up{job="nines"})', { at: Date.now() });
      console.log('open', up.items.length);
    } catch (thrown) {
      console.log(thrown instanceof AppError, thrown.code, thrown.message);
    }`;
  writeFileSync(join(project, 'lock.mjs'), program);
  assert.match(run(process.execPath, ['lock.mjs', nines.dataDir], project), /^true data_directory_in_use .*open already.*Nines server/);
  await nines.stop();
  assert.match(run(process.execPath, ['lock.mjs', nines.dataDir], project), /^open 1/);
});
