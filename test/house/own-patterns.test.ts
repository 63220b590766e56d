/**
 * The product's own regular expressions, which V8's engine runs, over texts that make a careless one take longer than anybody waits. The
 * patterns of users never come here: they run in linear time (`packages/base/src/regex.ts`).
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createContext, Script } from 'node:vm';
import { parseAst } from 'rolldown/parseAst';

const house = join(import.meta.dirname, '../..');
const LENGTH = 4_000;
/** What is quadratic is over in a hundredth of this on a slow machine; what is cubic or worse is not over in an hour. */
const LIMIT_MS = 20_000;

const SEARCH = new Script('for (const text of texts) { pattern.lastIndex = 0; pattern.test(text); }');

type Found = { readonly place: string; readonly source: string; readonly flags: string };

function patternsOf(file: string): readonly Found[] {
  const text = readFileSync(join(house, file), 'utf8');
  const found: Found[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, regex, start } = node as { type?: string; regex?: { pattern: string; flags: string }; start?: number };
    if (type === 'Literal' && regex !== undefined) {
      const line = text.slice(0, start).split('\n').length;
      found.push({ place: `${file}:${line}`, source: regex.pattern, flags: regex.flags });
    }
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' }));
  return found;
}

/** Repetitions of what the pattern itself names, of what patterns commonly repeat, and an end that does not fit. */
function textsFor({ source }: Found): readonly string[] {
  const own = [...new Set(source.match(/[a-zA-Z0-9]|[^\\()[\]{}|*+?^$.\w]/g) ?? [])].slice(0, 12);
  const units = [...own, 'a', '0', ' ', '\t', '\n', '.', '/', '-', '"', '\\', 'a.', 'a ', 'a=', '0.', '{{', '}}', '%2', 'é', '\u0000'];
  const pairs = own.flatMap((one) => own.slice(0, 4).map((other) => one + other));
  return [...units, ...pairs].flatMap((unit) => {
    const long = unit.repeat(Math.ceil(LENGTH / unit.length));
    return [long, `${long}\u{10ffff}`, `${own[0] ?? 'x'}${long}!`];
  });
}

test('no pattern of the product is made to run for ever by a long text', () => {
  const files = globSync(['packages/*/src/**/*.ts', 'server/src/**/*.ts', 'cli/src/**/*.ts', 'web/src/**/*.{ts,tsx}'], { cwd: house })
    .filter((file) => !/\.test\.tsx?$|\/testing\//.test(file))
    .sort();
  const found = files.flatMap(patternsOf);
  assert.ok(found.length > 300, `${found.length} patterns were found`);
  assert.deepEqual(
    found.filter((one) => takesForEver(one, LIMIT_MS)).map(({ place, source }) => `${place}: /${source}/`),
    [],
  );
});

test('the search finds patterns that take for ever', () => {
  for (const source of ['^(a+)+$', '(x+x+)+y', '^(?:a|aa)+$', '(.*a){12}!', '^\\s*(\\w+\\s*)*;$'])
    assert.equal(takesForEver({ place: '', source, flags: '' }, 500), true, source);
});

function takesForEver(one: Found, limitMs: number): boolean {
  try {
    const context = createContext({ pattern: new RegExp(one.source, one.flags), texts: textsFor(one) });
    SEARCH.runInContext(context, { timeout: limitMs });
    return false;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown;
    return true;
  }
}
