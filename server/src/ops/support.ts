import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { arch, availableParallelism, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { type MetricFamily, printExposition } from '@nines/model/exposition-print.ts';
import type { ExaminationView } from '../backups/contract.ts';
import { redact } from '../platform/config/redact.ts';
import { scrub } from '../platform/scrub.ts';
import { tarOfTexts } from '../platform/tar.ts';
import type { HealthView } from './contract.ts';

/** What helps others to help: how the product is set up and how it is. Never samples, secrets, or who people are. */
export type SupportContents = {
  readonly version: string;
  readonly nowMs: number;
  /** The configuration in force. */
  readonly config: unknown;
  readonly dataDir: string;
  readonly doctor: ExaminationView;
  /** Of a running server. */
  readonly health?: HealthView;
  /** Of a running server: its own figures, as at `/metrics`. */
  readonly figures?: readonly MetricFamily[];
};

const LEFT_OUT = '[left out]';
/** Keys whose texts say who somebody is, or are given to programs. */
const OF_PEOPLE = new Set([
  'people',
  'owner',
  'contacts',
  'user',
  'username',
  'email',
  'from',
  'to',
  'arguments',
  'command',
  'env',
  'stakeholders',
]);
/** The lengths of RFC 5321, section 4.5.3.1, so that a long text without an address is read once. */
const MAIL = /[^\s<>"'@:/]{1,64}@[a-z0-9.-]{1,255}\.[a-z]{2,63}/gi;
const PHONE = /(?<![\w.])\+[1-9]\d{6,14}\b/g;

/** The bundle as a `.tar.gz`. */
export async function supportBundle(contents: SupportContents): Promise<Uint8Array> {
  const { version, nowMs, config, dataDir, doctor, health, figures } = contents;
  const json = (value: unknown): string => `${impersonal(scrub(JSON.stringify(value, null, 2)))}\n`;
  const machine = { node: process.version, platform: platform(), release: release(), arch: arch() };
  const size = { processors: availableParallelism(), memory_bytes: totalmem() };
  const files = new Map([
    ['version.json', json({ version, made_at_ms: nowMs, ...machine, ...size })],
    ['configuration.json', json(withoutPeople(redact(config)))],
    ['doctor.json', json(doctor)],
    ['sizes.json', json(await sizesOf(dataDir))],
    ...(health === undefined ? [] : [['health.json', json(health)] as const]),
    ...(figures === undefined ? [] : [['metrics.txt', impersonal(scrub(printExposition(figures, 'text')))] as const]),
  ]);
  return tarOfTexts(new Map([['README.txt', readmeOf(files)], ...files]), nowMs);
}

const ABOUT: Readonly<Record<string, string>> = {
  'version.json': 'version of Nines and Node.js, operating system, processors, memory',
  'configuration.json': 'the configuration in force, without secrets, people and what programs are given',
  'doctor.json': 'what examining the data directory found',
  'sizes.json': 'names and sizes of the files of the data directory; documents only by their number',
  'health.json': 'the health of every part',
  'metrics.txt': 'the figures of Nines about itself',
};

const readmeOf = (files: ReadonlyMap<string, string>): string =>
  [
    'A support bundle of Nines. It holds:',
    '',
    ...[...files.keys()].map((name) => `  ${name.padEnd(20)} ${ABOUT[name] ?? ''}`),
    '',
    'It holds no samples, no passwords, keys or tokens, no names or addresses of people, and no log: Nines writes its log to standard',
    'error and keeps none. Look through it before you pass it on; host names, addresses of services and names that you chose are in it.',
    '',
  ].join('\n');

const impersonal = (text: string): string => text.replace(MAIL, LEFT_OUT).replace(PHONE, LEFT_OUT);

function withoutPeople(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPeople);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, OF_PEOPLE.has(name) && isSaying(inner) ? LEFT_OUT : withoutPeople(inner)]),
  );
}

const isSaying = (value: unknown): boolean =>
  value !== null && value !== '' && value !== undefined && !(Array.isArray(value) && value.length === 0);

type Sizes = { readonly files: readonly { readonly path: string; readonly bytes: number }[]; readonly documents: number };

async function sizesOf(dataDir: string): Promise<Sizes> {
  const files: { path: string; bytes: number }[] = [];
  let documents = 0;
  const entries = existsSync(dataDir) ? await readdir(dataDir, { withFileTypes: true, recursive: true }) : [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const shown = path.slice(join(dataDir, '/').length);
    if (shown.startsWith('documents/')) documents++;
    else files.push({ path: shown, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 });
  }
  return { files, documents };
}
