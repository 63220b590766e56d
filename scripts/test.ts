/**
 * All tests, as `npm test` (fast size) or `npm run test:full` (nightly size: more crashes, longer fuzzing). Format, lint,
 * types and layout come first because they are quick to fail; then the build that acceptance tests run; then every test file.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureNeeds } from './needs.ts';

const house = dirname(dirname(fileURLToPath(import.meta.url)));
const full = process.argv.includes('--full');
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
  NODE_DISABLE_COMPILE_CACHE: '1',
  ...(full ? { NINES_FULL: '1' } : {}),
};

function step(name: string, command: string, args: readonly string[]): void {
  const from = performance.now();
  const run = spawnSync(command, args, { cwd: house, stdio: 'inherit', env });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`);
  if (run.status !== 0) process.exit(1);
}

ensureNeeds();
step('format', join(house, 'node_modules/.bin/biome'), ['format', '.']);
step('lint', process.execPath, ['scripts/lint.ts']);
step('types', process.execPath, ['scripts/typecheck.ts']);
step('build', process.execPath, ['scripts/build.ts', '--if-stale']);

/** Pure and in-process tests run two at a time; whole-process ones (servers, browser, crashes) alone, so that they do not starve each other. */
const UNIT = [
  'packages/*/src/**/*.test.ts',
  'packages/*/testing/**/*.test.ts',
  'server/src/**/*.test.ts',
  'cli/src/**/*.test.ts',
  'web/src/**/*.test.ts',
  'test/house/*.test.ts',
];
const WHOLE = ['test/{acceptance,conformance,crash,pages,cli}/**/*.test.ts'];
const files = (patterns: readonly string[]): string[] => globSync([...patterns], { cwd: house }).sort();
const nodeTest = (concurrency: number, patterns: readonly string[]): string[] => [
  '--test',
  `--test-concurrency=${concurrency}`,
  '--test-timeout=600000',
  ...files(patterns),
];

step('unit and store tests', process.execPath, nodeTest(2, UNIT));
step('whole-process tests', process.execPath, nodeTest(1, WHOLE));
