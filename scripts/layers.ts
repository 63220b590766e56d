/**
 * The dependency rules of the house, checked on resolved paths. ARCHITECTURE.md says why each exists. A lint that matches
 * the text of an import cannot know where `../../x` leads; this follows it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

type Fault = { readonly file: string; readonly line: number; readonly rule: string; readonly message: string };

type Import = {
  readonly from: string;
  readonly to: string;
  readonly external: boolean;
  readonly line: number;
  readonly typeOnly: boolean;
  /** What is taken of it as a value; `*` for everything. */
  readonly names: readonly string[];
};

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
  const roots = ['packages', 'server', 'cli', 'library', 'web'].map((name) => join(root, name));
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
    const names = typeOnly ? [] : namesOf(match[0]);
    const workspace = /^@nines\/([a-z]+)\/(.+)$/.exec(target);
    if (workspace !== null) {
      const [, name = '', rest] = workspace;
      const folder = PACKAGE_ORDER[name] === undefined ? name : `packages/${name}`;
      return { from: file, to: `${folder}/src/${rest}`, external: false, line, typeOnly, names };
    }
    if (!target.startsWith('.')) return { from: file, to: target, external: true, line, typeOnly, names };
    const path = relative(root, resolve(root, dirname(file), target))
      .split(sep)
      .join('/');
    return { from: file, to: path, external: false, line, typeOnly, names };
  });
}

/** `import { a, type B, c as d } from` gives a and c; any other form may take everything. */
function namesOf(statement: string): readonly string[] {
  const braces = /^\s*(?:import|export)\s*\{([^}]*)\}\s*from/.exec(statement)?.[1];
  if (braces === undefined) return ['*'];
  const names = braces.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && !name.startsWith('type ')).map((name) => name.split(/\s/, 1)[0] ?? '');
}

/** What opens connections, asks name servers or starts programs, by module; `*` is everything of it. */
const WAYS_OUT: Readonly<Record<string, readonly string[]>> = {
  'node:http': ['request', 'get', 'Agent', 'globalAgent', 'ClientRequest', 'WebSocket'],
  'node:https': ['request', 'get', 'Agent', 'globalAgent'],
  'node:http2': ['connect'],
  'node:net': ['connect', 'createConnection', 'Socket', 'Stream'],
  'node:tls': ['connect', 'TLSSocket'],
  'node:dgram': ['*'],
  'node:dns': ['*'],
  'node:dns/promises': ['*'],
  'node:child_process': ['*'],
  'node:cluster': ['*'],
  ...Object.fromEntries(
    [
      'undici',
      'ws',
      'nodemailer',
      'pg',
      'mysql2',
      'redis',
      'ioredis',
      'mongodb',
      'playwright-core',
      'openid-client',
      'oauth4webapi',
      'systeminformation',
      'got',
      'axios',
      'node-fetch',
    ].map((name) => [name, ['*']]),
  ),
};
/** Who may go out all the same, and why: everyone else goes through the guarded client, whose addresses were judged. */
const GATES: Readonly<Record<string, readonly string[]>> = {
  'server/src/platform/fetch/dial.ts': ['node:http', 'node:http2', 'node:net', 'node:tls', 'node:dgram', 'node:dns/promises'],
  'server/src/platform/fetch/outbound.ts': ['undici'],
  'server/src/platform/programs.ts': ['node:child_process'],
  // The state database, which the configuration file names.
  'server/src/platform/db/open.ts': ['pg'],
  // An agent's own server, which its command line names, by a pinned certificate.
  'server/src/agents/probe/link.ts': ['node:https'],
  // Handed connections that were opened by the guarded client.
  'server/src/checks/kinds/postgresql/ask.ts': ['pg'],
  'server/src/notify/email/mailer.ts': ['nodemailer'],
  // Everything the browser asks goes through the gate beside it.
  'server/src/checks/kinds/browser/browsers.ts': ['playwright-core'],
  // Its `customFetch` is the guarded client.
  'server/src/sso/provider.ts': ['openid-client'],
  // Reads figures of hosts that are not Linux, by programs of the system with arguments of its own.
  'server/src/collect/host/portable.ts': ['systeminformation'],
  // Listens.
  'server/src/collect/statsd/listener.ts': ['node:dgram'],
  // The name servers of this machine, read, not asked.
  'server/src/checks/kinds/dns/ask.ts': ['node:dns'],
  // The server's own program.
  'server/src/backups/child.ts': ['node:child_process'],
};

function leavesByItself({ from, to, external, typeOnly, names }: Import): boolean {
  const ways = WAYS_OUT[to] ?? WAYS_OUT[`node:${to}`];
  if (ways === undefined || typeOnly || !external || !/^(server|library)\/src\//.test(from) || GATES[from]?.includes(to) === true)
    return false;
  return names.some((name) => name === '*' || ways.includes('*') || ways.includes(name));
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
    name: 'one-way-out',
    breaks: leavesByItself,
    message: ({ to, names }) =>
      `${names.join(', ')} of ${to} goes past the outbound policy: use platform/fetch (outbound.ts, dial.ts), for programs platform/programs.ts`,
  },
  {
    name: 'library-listens-to-nothing',
    breaks: ({ from, to, typeOnly }) =>
      from.startsWith('library/') &&
      !typeOnly &&
      /^(server\/src\/(app|main|serve)\.ts|.*\/routes\.ts|fastify|node:(http|https|net))$/.test(to),
    message: ({ to }) => `the library is the parts without a socket: not ${to}`,
  },
  {
    name: 'library-types-stand-alone',
    breaks: ({ from }) => from === 'library/src/contract.ts',
    message: ({ to }) => `this file is shipped as types, without ${to}: write the shape here`,
  },
  {
    name: 'server-knows-no-client',
    bindsTests: true,
    breaks: ({ from, to, external }) => from.startsWith('server/') && !external && /^(web|cli|library)\//.test(to),
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
  const scope = /^(packages|server|library)\//.test(file) && !isTest(file) && !/^server\/src\/platform\/(clock|ids)\.ts$/.test(file);
  if (!scope) return [];
  const goesOut = /(?<![.#\w])XMLHttpRequest\(|\bnew (?:WebSocket|EventSource)\(/;
  return text.split('\n').flatMap((line, index) => {
    const found: Fault[] = [];
    const add = (rule: string, message: string): void => void found.push({ file, line: index + 1, rule, message });
    if (/\bnew Date\(\s*\)/.test(line))
      add('time-is-an-argument', 'new Date() reads the clock: take a Clock and write new Date(clock.now())');
    if (goesOut.test(line)) add('one-way-out', 'this goes past the outbound policy: use platform/fetch');
    return found;
  });
}
