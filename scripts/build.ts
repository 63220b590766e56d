/**
 * Builds what `nines` runs: the program bundled to `dist/` and the web application to `dist/web`; and the package `@nines/library` in `library/dist`. Bundling halves the
 * memory and the start of the server (docs/adr/0001). `--if-stale` does nothing when no source is newer than the build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const house = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(house, 'dist');
const library = join(house, 'library/dist');
const SOURCES = ['packages', 'server', 'cli', 'library', 'web', 'package-lock.json'];
/** Native or optional at run time: stays outside and is found in node_modules. */
const EXTERNAL = ['better-sqlite3', 'pg-native', 'playwright-core'];

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .reduce((latest, entry) => Math.max(latest, newest(join(path, entry.name))), 0);
}

function isFresh(): boolean {
  const built = [
    join(dist, 'nines.js'),
    join(dist, 'web/index.html'),
    join(dist, 'fonts/DejaVuSans.ttf.gz'),
    join(dist, 'passwords/common.txt.gz'),
    join(dist, 'analytics-thread.js'),
    join(dist, 'drawing-thread.js'),
    join(library, 'main.js'),
    join(library, 'main.d.ts'),
  ];
  if (!built.every((path) => existsSync(path))) return false;
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs));
  return SOURCES.every((source) => newest(join(house, source)) <= oldest);
}

async function bundled(input: Readonly<Record<string, string>>, dir: string): Promise<void> {
  const bundle = await rolldown({
    input: { ...input, 'analytics-thread': join(house, 'server/src/analytics/thread.ts') },
    platform: 'node',
    external: EXTERNAL,
    treeshake: true,
    onLog(level, log, report) {
      if (level === 'warn' && log.code !== 'CIRCULAR_DEPENDENCY' && log.code !== 'EVAL') report(level, log);
    },
  });
  await bundle.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
  });
  await bundle.close();
  for (const name of globSync('{*.js,chunks/*.js}', { cwd: dir })) escapeNonAscii(join(dir, name));
  // Of PDF files with letters that no reader has by itself.
  cpSync(join(house, 'server/assets/fonts'), join(dir, 'fonts'), { recursive: true });
}

async function buildProgram(): Promise<void> {
  await bundled({ nines: join(house, 'cli/src/main.ts'), 'drawing-thread': join(house, 'server/src/dashboards/drawn/thread.ts') }, dist);
  // Those that nobody may choose.
  cpSync(join(house, 'server/assets/passwords'), join(dist, 'passwords'), { recursive: true });
}

/**
 * V8 keeps the text of a loaded file, with two bytes for each character as soon as one of them is not ASCII (Node decodes such a file to UTF-16). Such characters
 * stand in texts, patterns and comments only, where the escape means the same.
 */
function escapeNonAscii(path: string): void {
  const text = readFileSync(path, 'utf8');
  const escaped = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (escaped !== text) writeFileSync(path, escaped);
}

/** What is packed as `@nines/library`: the bundle, and types that need no other package. */
async function buildLibrary(): Promise<void> {
  await bundled({ main: join(house, 'library/src/main.ts') }, library);
  cpSync(join(house, 'LICENSE'), join(library, 'LICENSE'));
  const made = mkdtempSync(join(tmpdir(), 'nines-types-'));
  const roots = ['library/src/main.ts', 'packages/base/src/errors.ts'];
  const args = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--noCheck', '--rootDir', house, '--outDir', made];
  const settings = ['--target', 'esnext', '--module', 'nodenext', '--allowImportingTsExtensions', '--types', 'node', '--ignoreConfig'];
  const run = spawnSync(process.execPath, [join(house, 'node_modules/typescript/bin/tsc'), ...roots, ...args, ...settings], {
    cwd: house,
    stdio: 'inherit',
  });
  if (run.status !== 0) throw new Error('the types of the library could not be made');
  const isOther = /from '(?!\.)[^']*'/;
  for (const name of ['library/src/main.d.ts', 'library/src/open.d.ts', 'library/src/contract.d.ts', 'packages/base/src/errors.d.ts']) {
    const text = readFileSync(join(made, name), 'utf8');
    const alone = text.replaceAll("'@nines/base/errors.ts'", "'./errors.js'").replace(/('\.\/[^']*)\.ts'/g, "$1.js'");
    if (isOther.test(alone)) throw new Error(`${name} names another package: write the shape into library/src/contract.ts`);
    writeFileSync(join(library, basename(name)), alone);
  }
  rmSync(made, { recursive: true });
}

async function buildWeb(): Promise<void> {
  const { build } = await import('vite');
  await build({ configFile: join(house, 'web/vite.config.ts'), root: join(house, 'web'), logLevel: 'warn' });
  for (const name of globSync('web/**/*.{js,css,svg}', { cwd: dist })) {
    const path = join(dist, name);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

if (!(process.argv.includes('--if-stale') && isFresh())) {
  rmSync(join(dist, 'chunks'), { recursive: true, force: true });
  rmSync(library, { recursive: true, force: true });
  await buildWeb();
  await buildProgram();
  await buildLibrary();
}
