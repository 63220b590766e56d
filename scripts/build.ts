/**
 * Builds what `nines` runs: the program bundled to `dist/` and the web application to `dist/web`. Bundling halves the
 * memory and the start of the server (docs/adr/0001). `--if-stale` does nothing when no source is newer than the build.
 */
import { cpSync, existsSync, globSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const house = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(house, 'dist');
const SOURCES = ['packages', 'server', 'cli', 'web', 'package-lock.json'];
/** Native or optional at run time: stays outside and is found in node_modules. */
const EXTERNAL = ['better-sqlite3', 'pg-native', 'playwright-core'];

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .reduce((latest, entry) => Math.max(latest, newest(join(path, entry.name))), 0);
}

function isFresh(): boolean {
  const built = [
    join(dist, 'nines.js'),
    join(dist, 'web/index.html'),
    join(dist, 'fonts/DejaVuSans.ttf.gz'),
    join(dist, 'passwords/common.txt.gz'),
    join(dist, 'analytics-thread.js'),
  ];
  if (!built.every((path) => existsSync(path))) return false;
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs));
  return SOURCES.every((source) => newest(join(house, source)) <= oldest);
}

async function buildProgram(): Promise<void> {
  const bundle = await rolldown({
    input: { nines: join(house, 'cli/src/main.ts'), 'analytics-thread': join(house, 'server/src/analytics/thread.ts') },
    platform: 'node',
    external: EXTERNAL,
    treeshake: true,
    onLog(level, log, report) {
      if (level === 'warn' && log.code !== 'CIRCULAR_DEPENDENCY' && log.code !== 'EVAL') report(level, log);
    },
  });
  await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
  });
  await bundle.close();
  for (const name of globSync('{*.js,chunks/*.js}', { cwd: dist })) escapeNonAscii(join(dist, name));
  // Of PDF files with letters that no reader has by itself.
  cpSync(join(house, 'server/assets/fonts'), join(dist, 'fonts'), { recursive: true });
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
  await buildWeb();
  await buildProgram();
}
