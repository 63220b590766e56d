import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

/** One planted fault per rule: where it stands, what it says, and the rule that must name it. */
const PLANTED: readonly { readonly rule: string; readonly files: Readonly<Record<string, string>> }[] = [
  {
    rule: 'house/packages-are-pure',
    files: { 'packages/base/src/a.ts': `import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n` },
  },
  {
    rule: 'house/packages-are-pure',
    files: { 'packages/tsdb/src/head.ts': `import { openSync } from 'node:fs';\nexport const a = openSync;\n` },
  },
  {
    rule: 'house/packages-import-packages',
    files: { 'packages/model/src/a.ts': `export { b } from '../../../server/src/platform/b.ts';\n` },
  },
  {
    rule: 'house/package-order',
    files: { 'packages/promql/src/a.ts': `import type { Head } from '@nines/tsdb/head.ts';\nexport type A = Head;\n` },
  },
  {
    rule: 'house/platform-knows-no-domain',
    files: { 'server/src/platform/a.ts': `import { b } from '../sla/contract.ts';\nexport const a = b;\n` },
  },
  { rule: 'house/contract-only', files: { 'server/src/sla/a.ts': `import { b } from '../alerting/service.ts';\nexport const a = b;\n` } },
  {
    rule: 'house/contract-only',
    files: { 'server/src/notify/webhook/a.ts': `import { b } from '../../alerting/store.ts';\nexport const a = b;\n` },
  },
  {
    rule: 'house/nothing-imports-the-root',
    files: { 'server/src/sla/a.ts': `import { createApp } from '../app.ts';\nexport const a = createApp;\n` },
  },
  {
    rule: 'house/routes-are-edges',
    files: { 'server/src/sla/service.ts': `import { routes } from './routes.ts';\nexport const a = routes;\n` },
  },
  {
    rule: 'house/web-sees-contracts',
    files: { 'web/src/a.ts': `import type { B } from '@nines/server/sla/service.ts';\nexport type A = B;\n` },
  },
  {
    rule: 'house/web-sees-contracts',
    files: { 'web/src/a.ts': `import { b } from '@nines/server/sla/contract.ts';\nexport const a = b;\n` },
  },
  {
    rule: 'house/server-knows-no-client',
    files: { 'server/src/sla/a.ts': `import { b } from '../../../cli/src/b.ts';\nexport const a = b;\n` },
  },
  {
    rule: 'house/library-listens-to-nothing',
    files: { 'library/src/a.ts': `import { createApp } from '@nines/server/app.ts';\nexport const a = createApp;\n` },
  },
  {
    rule: 'house/library-types-stand-alone',
    files: { 'library/src/contract.ts': `import type { B } from '@nines/server/sla/contract.ts';\nexport type A = B;\n` },
  },
  {
    rule: 'house/one-way-out',
    files: { 'library/src/a.ts': `import { connect } from 'node:net';\nexport const a = connect;\n` },
  },
  { rule: 'no-restricted-properties', files: { 'library/src/a.ts': `export const a = Date.now();\n` } },
  ...[
    `import { connect } from 'node:net';\nexport const a = connect;\n`,
    `import { isIP, createConnection as dial } from 'node:net';\nexport const a = [isIP, dial];\n`,
    `import * as http from 'node:http';\nexport const a = http;\n`,
    `import { lookup } from 'dns/promises';\nexport const a = lookup;\n`,
    `export const a = async (): Promise<unknown> => import('undici');\n`,
    `import { execFile } from 'node:child_process';\nexport const a = execFile;\n`,
    `export const a = new WebSocket('ws://127.0.0.1/');\n`,
  ].map((text) => ({ rule: 'house/one-way-out', files: { 'server/src/sla/a.ts': text } })),
  { rule: 'house/time-is-an-argument', files: { 'server/src/sla/a.ts': `export const a = new Date();\n` } },
  { rule: 'no-restricted-properties', files: { 'server/src/sla/a.ts': `export const a = Date.now();\n` } },
  { rule: 'no-restricted-properties', files: { 'packages/maths/src/a.ts': `export const a = Math.random();\n` } },
  { rule: 'no-restricted-globals', files: { 'server/src/sla/a.ts': `setTimeout(() => 1, 5);\nexport {};\n` } },
  { rule: 'no-restricted-globals', files: { 'server/src/notify/a.ts': `export const a = fetch('http://127.0.0.1/');\n` } },
  {
    rule: 'no-cycle',
    files: {
      'server/src/sla/a.ts': `import { b } from './b.ts';\nexport const a = (): number => b();\n`,
      'server/src/sla/b.ts': `import { a } from './a.ts';\nexport const b = (): number => a();\n`,
    },
  },
  { rule: 'no-default-export', files: { 'server/src/sla/a.ts': `export default 1;\n` } },
  { rule: 'no-explicit-any', files: { 'server/src/sla/a.ts': `export const a = (b: any): unknown => b;\n` } },
  { rule: 'no-non-null-assertion', files: { 'server/src/sla/a.ts': `export const a = (b: string | null): string => b!;\n` } },
  {
    rule: 'max-params',
    files: { 'server/src/sla/a.ts': `export const a = (b: 1, c: 2, d: 3, e: 4, f: 5): unknown => [b, c, d, e, f];\n` },
  },
  {
    rule: 'max-lines-per-function',
    files: { 'server/src/sla/a.ts': `export function a(): number {\n${'  void 0;\n'.repeat(71)}  return 1;\n}\n` },
  },
  {
    rule: 'max-lines',
    files: { 'server/src/sla/a.ts': `${Array.from({ length: 501 }, (_, i) => `export const a${i} = ${i};`).join('\n')}\n` },
  },
  { rule: 'no-console', files: { 'server/src/sla/a.ts': `console.log(1);\nexport {};\n` } },
];

const house = dirname(dirname(import.meta.dirname));
const trees: string[] = [];
after(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
});

function lint(files: Readonly<Record<string, string>>): { readonly status: number | null; readonly output: string } {
  const tree = mkdtempSync(join(tmpdir(), 'lint-'));
  trees.push(tree);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  const run = spawnSync(process.execPath, [join(house, 'scripts/lint.ts'), tree], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

for (const { rule, files } of PLANTED) {
  test(`the lint finds a planted fault against ${rule} in ${Object.keys(files)[0]}`, () => {
    const { status, output } = lint(files);
    assert.equal(status, 1, output);
    assert.ok(output.includes(rule), `expected a fault of ${rule}, found:\n${output}`);
  });
}

test('the lint passes a tree that keeps the rules', () => {
  const { status, output } = lint({
    'packages/base/src/b.ts': 'export const b = 1;\n',
    'packages/model/src/a.ts': `import { b } from '@nines/base/b.ts';\nexport const a = b;\n`,
    'server/src/sla/contract.ts': 'export type Sla = { readonly id: string };\n',
    'server/src/alerting/a.ts': `import type { Sla } from '../sla/contract.ts';\nexport const a = (sla: Sla): string => sla.id;\n`,
    'web/src/a.ts': `import type { Sla } from '@nines/server/sla/contract.ts';\nexport type A = Sla;\n`,
  });
  assert.equal(status, 0, output);
});
