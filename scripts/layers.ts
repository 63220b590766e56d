/**
 * The dependency rules of the house, checked on resolved paths. ARCHITECTURE.md says why each exists. A lint that matches
 * the text of an import cannot know where `../../x` leads; this follows it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

type Fault = { readonly file: string; readonly line: number; readonly rule: string; readonly message: string };

type Import = { readonly from: string; readonly to: string; readonly external: boolean; readonly line: number; readonly typeOnly: boolean };

const PACKAGE_ORDER: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ['base'],
  tsdb: ['base', 'model'],
  promql: ['base', 'model'],
  maths: ['base', 'model'],
};
/** The files of `tsdb` that may touch the disk; everything else in `packages` is pure. */
const DISK_FILES = /^packages\/tsdb\/src\/(cipher|disk|disk-codec|held-file|page-store|sqlite-wal)\.ts$/;
const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** Every fault in the tree under `root`, in path order. */
export function checkLayers(root: string): readonly Fault[] {
  const files = sourcesOf(root);
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const imports = importsOf(root, file, text);
    return [...imports.flatMap(faultsOfImport), ...faultsOfText(file, text)];
  });
}

function sourcesOf(root: string): readonly string[] {
  const roots = ['packages', 'server', 'cli', 'web'].map((name) => join(root, name));
  const found: string[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.tsx?$/.test(entry.name)) found.push(relative(root, path).split(sep).join('/'));
    }
  };
  for (const dir of roots) {
    try {
      walk(dir);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
  }
  return found.sort();
}

function importsOf(root: string, file: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[2] ?? match[3] ?? '';
    const line = text.slice(0, match.index).split('\n').length;
    const typeOnly = match[1] !== undefined;
    const workspace = /^@nines\/([a-z]+)\/(.+)$/.exec(target);
    if (workspace !== null) {
      const [, name = '', rest] = workspace;
      const folder = PACKAGE_ORDER[name] === undefined ? name : `packages/${name}`;
      return { from: file, to: `${folder}/src/${rest}`, external: false, line, typeOnly };
    }
    if (!target.startsWith('.')) return { from: file, to: target, external: true, line, typeOnly };
    const path = relative(root, resolve(root, dirname(file), target))
      .split(sep)
      .join('/');
    return { from: file, to: path, external: false, line, typeOnly };
  });
}

const isTest = (file: string): boolean => /\.test\.tsx?$|\/testing\/|^web\/dev\//.test(file);
const packageOf = (path: string): string | undefined => /^packages\/([a-z]+)\//.exec(path)?.[1];
/** The folder of `server/src` that a file is in: a domain, or `platform`. */
const domainOf = (path: string): string | undefined => /^server\/src\/([a-z-]+)\//.exec(path)?.[1];
const mayImport = (name: string): readonly string[] => PACKAGE_ORDER[name] ?? [];

type Rule = {
  readonly name: string;
  /** Tests may import what the code beside them may not. */
  readonly bindsTests?: boolean;
  readonly breaks: (one: Import) => boolean;
  readonly message: (one: Import) => string;
};

const RULES: readonly Rule[] = [
  {
    name: 'packages-are-pure',
    breaks: ({ from, to, external }) => packageOf(from) !== undefined && external && to.startsWith('node:') && !DISK_FILES.test(from),
    message: ({ to }) =>
      `${to} has no place in a package: pass what it gives as an argument (tsdb reaches the disk through its Disk and PageStore only)`,
  },
  {
    name: 'packages-import-packages',
    breaks: ({ from, to, external }) => packageOf(from) !== undefined && !external && packageOf(to) === undefined,
    message: ({ to }) => `a package imports packages only, not ${to}`,
  },
  {
    name: 'package-order',
    breaks: ({ from, to, external }) => {
      const own = packageOf(from);
      const target = packageOf(to);
      return own !== undefined && !external && target !== undefined && target !== own && !mayImport(own).includes(target);
    },
    message: ({ from, to }) =>
      `${packageOf(from)} may import ${mayImport(packageOf(from) ?? '').join(', ') || 'nothing'}, not ${packageOf(to)}`,
  },
  {
    name: 'platform-knows-no-domain',
    breaks: ({ from, to }) => domainOf(from) === 'platform' && (domainOf(to) ?? 'platform') !== 'platform',
    message: ({ to }) => `platform may not import ${to}: let the domain pass a function in`,
  },
  {
    name: 'contract-only',
    breaks: ({ from, to }) => {
      const [own, target] = [domainOf(from), domainOf(to)];
      if (own === undefined || own === 'platform' || target === undefined || target === 'platform') return false;
      return target !== own && !to.endsWith('/contract.ts');
    },
    message: ({ to }) => `another domain is seen through its contract.ts only: not ${to}`,
  },
  {
    name: 'nothing-imports-the-root',
    breaks: ({ from, to }) => domainOf(from) !== undefined && /^server\/src\/(app|main|parts|serve)\.ts$/.test(to),
    message: ({ to }) => `${to} is the root; nothing below imports it`,
  },
  {
    name: 'routes-are-edges',
    breaks: ({ from, to, external }) => !external && to.endsWith('/routes.ts') && from !== 'server/src/serve.ts',
    message: () => 'routes.ts is imported by serve.ts only: put what you need into service.ts',
  },
  {
    name: 'web-sees-contracts',
    bindsTests: true,
    breaks: ({ from, to, typeOnly }) =>
      from.startsWith('web/src/') && to.startsWith('server/') && !(typeOnly && to.endsWith('/contract.ts')),
    message: () => 'web imports types of contract.ts only (import type)',
  },
  {
    name: 'server-knows-no-client',
    bindsTests: true,
    breaks: ({ from, to, external }) => from.startsWith('server/') && !external && /^(web|cli)\//.test(to),
    message: ({ to }) => `server may not import ${to}`,
  },
];

const faultsOfImport = (one: Import): readonly Fault[] =>
  RULES.filter(({ bindsTests, breaks }) => (bindsTests === true || !isTest(one.from)) && breaks(one)).map(({ name, message }) => ({
    file: one.from,
    line: one.line,
    rule: name,
    message: message(one),
  }));

function faultsOfText(file: string, text: string): readonly Fault[] {
  const scope = /^(packages|server)\//.test(file) && !isTest(file) && !/^server\/src\/platform\/(clock|ids)\.ts$/.test(file);
  if (!scope) return [];
  return text.split('\n').flatMap((line, index) =>
    /\bnew Date\(\s*\)/.test(line)
      ? [
          {
            file,
            line: index + 1,
            rule: 'time-is-an-argument',
            message: 'new Date() reads the clock: take a Clock and write new Date(clock.now())',
          },
        ]
      : [],
  );
}
