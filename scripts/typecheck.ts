/**
 * Type-checks every workspace with the settings its layer has, then the tests and scripts. What was checked before and has not
 * changed since is not checked again.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const house = dirname(dirname(fileURLToPath(import.meta.url)));
const projects = [
  'packages/base',
  'packages/model',
  'packages/tsdb',
  'packages/promql',
  'packages/maths',
  'server',
  'cli',
  'library',
  'web',
  'tsconfig.tests.json',
];
const failed = projects.filter((project) => {
  const known = join('node_modules/.cache/tsc', `${project.replace('/', '-')}.tsbuildinfo`);
  const args = ['-p', project, '--pretty', 'false', '--incremental', '--tsBuildInfoFile', known];
  const run = spawnSync(join(house, 'node_modules/.bin/tsc'), args, { cwd: house, stdio: 'inherit' });
  return run.status !== 0;
});
console.log(failed.length === 0 ? `types: ${projects.length} projects are sound` : `types: faults in ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
