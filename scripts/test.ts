/**
 * All tests, as `npm test` (fast size) or `npm run test:full` (nightly size: more crashes, longer fuzzing). Format, lint,
 * types and layout come first because they are quick to fail; then the build that acceptance tests run; then every test file.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
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

/** A network with nothing but the loopback: whatever calls out from within gets no answer. Only root may make one. */
const OWN_NETWORK = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'] as const;
const hasOwnNetwork =
  process.getuid?.() === 0 && spawnSync(OWN_NETWORK[0], [...OWN_NETWORK.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
/** With more the fault is hardly in the hour. */
const MAX_SECOND_TRIES = 3;
const unsteady: string[] = [];

function ran(name: string, command: string, args: readonly string[]): boolean {
  const from = performance.now();
  const run = spawnSync(command, args, { cwd: house, stdio: 'inherit', env });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`);
  return run.status === 0;
}

function step(name: string, command: string, args: readonly string[]): void {
  if (!ran(name, command, args)) process.exit(1);
}

/**
 * Every file of a stage, `concurrency` at a time. Files that fail are run once more, each alone: what passes then is unsteady and named in
 * the last lines, what fails again fails the whole.
 */
function stage(name: string, concurrency: number, files: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'nines-test-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const failed = join(folder, 'failed');
  const reporters = ['spec', 'stdout', './scripts/failed-files.ts', failed].map((value, at) =>
    at % 2 === 0 ? `--test-reporter=${value}` : `--test-reporter-destination=${value}`,
  );
  const tests = (several: readonly string[], atOnce: number) => {
    const node = [process.execPath, '--test', `--test-concurrency=${atOnce}`, '--test-timeout=600000', ...reporters, ...several];
    const [command = '', ...args] = hasOwnNetwork ? [...OWN_NETWORK, ...node] : node;
    return [command, args] as const;
  };
  const passed = ran(name, ...tests(files, concurrency));
  const again = passed ? [] : [...new Set(readFileSync(failed, 'utf8').split('\n').filter(Boolean))];
  if (passed) return;
  if (again.length === 0 || again.length > MAX_SECOND_TRIES) process.exit(1);
  for (const file of again) {
    if (!ran(`once more, alone: ${relative(house, file)}`, ...tests([file], 1))) process.exit(1);
    unsteady.push(relative(house, file));
  }
}

ensureNeeds();
step('format', join(house, 'node_modules/.bin/biome'), ['format', '.']);
step('lint', process.execPath, ['scripts/lint.ts']);
step('types', process.execPath, ['scripts/typecheck.ts']);
step('build', process.execPath, ['scripts/build.ts', '--if-stale']);

/** Two files at a time, as there are two cores; those that count on being killed within so many milliseconds run alone. */
const UNIT = [
  'packages/*/src/**/*.test.ts',
  'packages/*/testing/**/*.test.ts',
  'server/src/**/*.test.ts',
  'cli/src/**/*.test.ts',
  'library/src/**/*.test.ts',
  'web/src/**/*.test.ts',
  'test/house/*.test.ts',
];
const WHOLE = ['test/{acceptance,conformance,pages,cli}/**/*.test.ts'];
const CRASH = ['test/crash/*.test.ts'];
const files = (patterns: readonly string[]): string[] => globSync([...patterns], { cwd: house }).sort();

console.log(
  hasOwnNetwork
    ? 'The tests run in a network of their own: nothing leaves this machine.'
    : 'The tests run in the network of this machine: only root may give them one of their own (unshare, ip).',
);
stage('unit and store tests', 2, files(UNIT));
stage('whole-process tests', 2, files(WHOLE));
stage('crash tests', 1, files(CRASH));
for (const file of unsteady) console.log(`UNSTEADY: ${file} failed once and passed alone. Find out why.`);
