/**
 * The lint: oxlint for the language, checkLayers for the house. `lint.ts [ROOT]` checks another tree by the same rules,
 * which is how a test proves that each rule bites.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkLayers } from './layers.ts';

const house = dirname(dirname(fileURLToPath(import.meta.url)));
const root = resolve(process.argv[2] ?? house);
// Overrides match paths below the configuration's own folder, so another tree needs the configuration inside it.
if (root !== house) copyFileSync(join(house, '.oxlintrc.json'), join(root, '.oxlintrc.json'));
const typeAware = root === house ? ['--type-aware'] : [];
const oxlint = spawnSync(
  join(house, 'node_modules/.bin/oxlint'),
  ['-c', join(root, '.oxlintrc.json'), '--format', 'unix', ...typeAware, '.'],
  { cwd: root, encoding: 'utf8' },
);
process.stdout.write(oxlint.stdout);
process.stderr.write(oxlint.stderr);
const faults = checkLayers(root);
for (const { file, line, rule, message } of faults) console.log(`${file}:${line}: ${message} [house/${rule}]`);
process.exit(oxlint.status === 0 && faults.length === 0 ? 0 : 1);
