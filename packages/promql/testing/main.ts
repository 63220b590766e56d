import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from './run-script.ts';
import { ScriptError } from './script.ts';

/** `npm run promqltest -- DIR|FILE…`: runs every `*.test` script, prints what failed, exits 1 if anything did. */
const paths = process.argv.slice(2);
if (paths.length === 0) {
  process.stderr.write('usage: npm run promqltest -- DIR|FILE…\n');
  process.exit(2);
}

const files = paths.flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.test'))
        .sort()
        .map((name) => join(path, name))
    : [path],
);

let passed = 0;
let failed = 0;
for (const file of files) {
  try {
    const report = await runScript(readFileSync(file, 'utf8'));
    for (const { line, message } of report.failures) process.stdout.write(`${file}:${line}: ${message}\n`);
    process.stdout.write(`${file}: ${report.passed} passed, ${report.failures.length} failed\n`);
    passed += report.passed;
    failed += report.failures.length;
  } catch (thrown) {
    if (!(thrown instanceof ScriptError)) throw thrown;
    process.stdout.write(`${file}:${thrown.line}: ${thrown.message}\n`);
    failed++;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
