import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import type { z } from 'zod';
import { fieldPath } from '../http/schemas.ts';
import { conventional } from './conventions.ts';
import { mapSchema, nearest, type SchemaMap } from './keys.ts';
import { readTextFile } from './read-text.ts';
import { type ConfigProblem, MAX_CONFIG_BYTES, parseYaml, type YamlSource } from './source.ts';

export type Override = { readonly path: readonly string[]; readonly value: unknown; readonly source: string };

export type LoadOptions<S extends z.ZodType> = {
  readonly schema: S;
  /** The YAML file; without one everything has its default. */
  readonly file?: string | undefined;
  /** Read in place of the file, at whose place it stands. */
  readonly text?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags of the command line; they win over everything. */
  readonly flags?: readonly Override[];
};

export type Loaded<T> =
  | {
      readonly ok: true;
      /** Checked, defaulted and frozen. */
      readonly config: T;
      readonly warnings: readonly ConfigProblem[];
      /** What stands in the file and the overrides, as it is written: secrets too. */
      readonly written: unknown;
      /** The file as it was read. */
      readonly text: string | undefined;
      /** What does not come from the file: which variable or flag says it. */
      readonly overrides: readonly Pick<Override, 'path' | 'source'>[];
      /** `nines.yml:12` for what stands in the file, '' for what does not. */
      readonly place: (path: readonly PropertyKey[]) => string;
      /** A problem at `path`, for checks that need more than one section. */
      readonly problemAt: (path: readonly PropertyKey[], message: string) => ConfigProblem;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Prefix of environment variables that set configuration: `NINES__SERVER__LISTEN` is `server.listen`. */
const ENV_PREFIX = 'NINES__';

/**
 * Defaults < file < environment < flags. Unknown keys and bad values are problems with file, line and column; nothing is
 * guessed. Reads the file and the `…_FILE` secrets that the environment names, and nothing else.
 */
export function loadConfig<S extends z.ZodType>(options: LoadOptions<S>): Loaded<z.output<S>> {
  const map = mapSchema(options.schema);
  const read = readSource(options.file, options.text);
  if (read.problems.length > 0) return { ok: false, problems: read.problems };
  const { overrides, problems } = readEnvironment(options.env ?? {}, map);
  if (problems.length > 0) return { ok: false, problems };
  const direct = [...overrides, ...(options.flags ?? [])];
  const said = (value: unknown, from: readonly Override[]): unknown =>
    from.reduce<unknown>((sum, override) => withValue(sum, override.path, override.value), value);
  const byCustom = conventional(options.env ?? {}, said(read.value ?? {}, direct));
  const all = [...byCustom.overrides, ...direct];
  const input = said(read.value ?? {}, all);
  const parsed = options.schema.safeParse(input);
  const file = options.file ?? '';
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.flatMap((issue) => explain(issue, { file, source: read, map, overrides: all, input })),
    };
  }
  return {
    ok: true,
    config: freeze(parsed.data) as z.output<S>,
    warnings: [...read.warnings, ...byCustom.notes.map(({ source, message }) => ({ file: source, line: 0, column: 0, message }))],
    written: input,
    text: read.text,
    overrides: all.map(({ path, source }) => ({ path, source })),
    place: (path) => (exists(read.value, path) ? `${file}:${read.at(path).line}` : ''),
    problemAt: (path, message) => locate({ file, source: read, map, overrides: all, input }, { path }, message),
  };
}

/** `file:line:column: message`, or without a place when there is none. */
export const formatProblem = (problem: ConfigProblem): string =>
  problem.line === 0 ? `${problem.file}: ${problem.message}` : `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;

function readSource(file: string | undefined, given: string | undefined): YamlSource & { readonly text: string | undefined } {
  if (file === undefined && given === undefined) return { ...parseYaml('', ''), text: undefined };
  if (file === undefined || given !== undefined) return { ...parseYaml(file ?? 'configuration', given ?? ''), text: given };
  try {
    const text = readTextFile(file, MAX_CONFIG_BYTES);
    return { ...parseYaml(file, text), text };
  } catch (thrown) {
    return {
      ...parseYaml(file, ''),
      text: undefined,
      problems: [{ file, line: 1, column: 1, message: `cannot read the configuration: ${messageOf(thrown)}` }],
    };
  }
}

function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  map: SchemaMap,
): { readonly overrides: readonly Override[]; readonly problems: readonly ConfigProblem[] } {
  const overrides: Override[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(ENV_PREFIX) || text === undefined) continue;
    const path = name.slice(ENV_PREFIX.length).toLowerCase().split('__');
    const last = path.at(-1) ?? '';
    const fromFile = last.endsWith('_file') && !map.keysAt(path.slice(0, -1)).includes(last);
    try {
      const target = fromFile ? [...path.slice(0, -1), last.slice(0, -'_file'.length)] : path;
      const raw = fromFile ? readFileSync(text, 'utf8').replace(/\r?\n$/, '') : text;
      overrides.push({ path: target, value: typed(raw, map.wantsText(target.map(asStep))), source: name });
    } catch (thrown) {
      problems.push({ file: name, line: 0, column: 0, message: `cannot read the secret: ${messageOf(thrown)}` });
    }
  }
  return { overrides, problems };
}

function typed(text: string, wantsText: boolean): unknown {
  if (wantsText) return text;
  if (/^\s*[[{]/.test(text)) return parseYaml('', text).value ?? text;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

const asStep = (step: string): string | number => (/^\d+$/.test(step) ? Number(step) : step);

/** A copy of `value` with `path` set; digits step into lists, the next one at most one past the end. */
function withValue(value: unknown, path: readonly string[], leaf: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return leaf;
  if (Array.isArray(value) && /^\d+$/.test(step) && Number(step) <= value.length)
    return value.toSpliced(Number(step), 1, withValue(value[Number(step)], rest, leaf));
  if (value === undefined && step === '0') return [withValue(undefined, rest, leaf)];
  const record = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  return { ...record, [step]: withValue(record[step], rest, leaf) };
}

const exists = (value: unknown, path: readonly PropertyKey[]): boolean => valueAt(value, path) !== undefined;

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

type Explaining = {
  readonly file: string;
  readonly source: YamlSource;
  readonly map: SchemaMap;
  readonly overrides: readonly Override[];
  readonly input: unknown;
};

/** One issue of zod as problems that a person can act on. */
function explain(issue: z.core.$ZodIssue, context: Explaining): readonly ConfigProblem[] {
  const { map, input } = context;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      // A key of another alternative is written as it should be; it only does not belong beside the others.
      const known = map.keysAt(issue.path);
      const meant = known.includes(key) ? undefined : nearest(key, known);
      const where = issue.path.length === 0 ? '' : ` in ${fieldPath(issue.path)}`;
      return locate(
        context,
        { path: issue.path, key },
        `unknown key "${key}"${where}${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
      );
    });
  }
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, context));
  }
  const name = issue.path.at(-1);
  // A rule of several keys may point at one that was left out and has a default; only zod's own complaints mean "missing".
  if (issue.code !== 'custom' && issue.path.length > 0 && !exists(input, issue.path)) {
    const parent = issue.path.slice(0, -1);
    const where = parent.length === 0 ? '' : ` in ${fieldPath(parent)}`;
    return [locate(context, { path: parent }, `missing key "${String(name)}"${where}`)];
  }
  const field = issue.path.length === 0 ? '' : `${fieldPath(issue.path)}: `;
  return [locate(context, { path: issue.path }, `${field}${issue.message}${suggestion(issue, context)}`)];
}

/** What a mistyped word of an enumeration was probably meant to be. */
function suggestion(issue: z.core.$ZodIssue, { map, input }: Explaining): string {
  const discriminator = issue.code === 'invalid_union' && issue.path.length > 0;
  if (issue.code !== 'invalid_value' && !discriminator) return '';
  const written = valueAt(input, issue.path);
  const meant = typeof written === 'string' ? nearest(written, map.valuesAt(issue.path)) : undefined;
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** The alternative that the author most likely meant: the one whose first fault lies deepest, then the one with fewest faults. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const depth = (branch: readonly z.core.$ZodIssue[]): number => Math.max(0, ...branch.map((issue) => issue.path.length));
  const ranked = branches.filter((branch) => branch.length > 0).sort((a, b) => depth(b) - depth(a) || a.length - b.length);
  const first = ranked[0];
  const second = ranked[1];
  if (first === undefined) return undefined;
  // Alternatives that all fail at the value itself are told as one: "expected string or number".
  return second !== undefined && depth(first) === 0 && depth(second) === 0 ? undefined : first;
}

function locate(context: Explaining, target: { path: readonly PropertyKey[]; key?: string }, message: string): ConfigProblem {
  const full = [...target.path, ...(target.key === undefined ? [] : [target.key])].map(String);
  const override = context.overrides.findLast(
    ({ path }) => path.every((step, i) => full[i] === step) || full.every((step, i) => path[i] === step),
  );
  const inFile = exists(context.source.value, target.key === undefined ? target.path : [...target.path, target.key]);
  if (override !== undefined && (!inFile || override.path.length <= full.length))
    return { file: override.source, line: 0, column: 0, message };
  if (context.file === '') return { file: 'configuration', line: 0, column: 0, message };
  const position = target.key === undefined ? context.source.at(target.path) : context.source.atKey(target.path, target.key);
  return { file: context.file, ...position, message };
}

/** Freezes plain objects and lists; instances of classes (secrets, compiled expressions) are left alone. */
function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
  return value;
}
