import { globSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { LineCounter, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { readTextFile } from '../../platform/config/read-text.ts';
import { type Definitions, NOTHING, joined } from './generated.ts';
import { type OpenSloDocument, openSloDocument } from './openslo-schema.ts';
import { openSloDefinitions } from './openslo.ts';
import { pyrraDefinitions, pyrraDocument } from './pyrra.ts';
import { type SlothOptions, type SlothSlo, definitionsOf, slothDefinitions, slothDocument } from './sloth.ts';

/** Larger files are no definitions. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Somewhere in a file. */
export type Placed = { readonly file: string; readonly line: number; readonly column: number; readonly message: string };
export type ReadDefinitions = {
  readonly found: readonly (Definitions & { readonly file: string; readonly line: number })[];
  readonly warnings: readonly Placed[];
  readonly problems: readonly Placed[];
};

/** Reads every file that the patterns match, each once. OpenSLO's references are resolved among all of them. */
export function readDefinitions(patterns: readonly string[], baseDir: string): ReadDefinitions & { readonly unmatched: readonly string[] } {
  const files = new Set<string>();
  const unmatched: string[] = [];
  for (const pattern of patterns) {
    const found = globSync(isAbsolute(pattern) ? pattern : join(baseDir, pattern)).sort();
    if (found.length === 0) unmatched.push(pattern);
    for (const file of found) files.add(file);
  }
  const known = [...files].flatMap(openSloIn);
  const read = [...files].map((path): ReadDefinitions => {
    const short = relative(baseDir, path);
    const file = short.startsWith('..') ? path : short;
    try {
      return parseDefinitions(readTextFile(path, MAX_FILE_BYTES), { file, known });
    } catch (thrown) {
      return {
        found: [],
        warnings: [],
        problems: [{ file, line: 1, column: 1, message: `cannot read the definitions: ${messageOf(thrown)}` }],
      };
    }
  });
  return {
    found: read.flatMap(({ found }) => found),
    warnings: read.flatMap(({ warnings }) => warnings),
    problems: read.flatMap(({ problems }) => problems),
    unmatched,
  };
}

/** What other files may refer to; faults are told when the file itself is read. */
function openSloIn(path: string): readonly OpenSloDocument[] {
  try {
    return parseAllDocuments(readTextFile(path, MAX_FILE_BYTES)).flatMap((document) => {
      const parsed = openSloDocument.safeParse(document.toJS());
      return parsed.success && parsed.data.kind !== 'SLO' ? [parsed.data] : [];
    });
  } catch {
    return [];
  }
}

/** The documents of one file: OpenSLO v1, Sloth's (its OpenSLO v1alpha too), Pyrra's. */
export function parseDefinitions(
  text: string,
  options: { readonly file: string; readonly sloth?: SlothOptions; readonly known?: readonly OpenSloDocument[] },
): ReadDefinitions {
  const lines = new LineCounter();
  const found: (Definitions & { file: string; line: number })[] = [];
  const warnings: Placed[] = [];
  const problems: Placed[] = [];
  const { file } = options;
  const openSlo: OpenSloDocument[] = [];
  let openSloLine = 1;
  const take = (definitions: Definitions, line: number): void => {
    found.push({ ...definitions, file, line });
    warnings.push(...definitions.warnings.map((message) => ({ file, line, column: 1, message })));
    problems.push(...definitions.problems.map((message) => ({ file, line, column: 1, message })));
  };
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    const placeAt = (offset: number): { line: number; column: number } => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    };
    const line = placeAt(document.contents?.range?.[0] ?? 0).line;
    const fault = document.errors[0];
    if (fault !== undefined) {
      problems.push({ file, ...placeAt(fault.pos[0]), message: fault.message.split('\n')[0] ?? 'not YAML' });
      continue;
    }
    const value: unknown = document.toJS();
    if (value === null) continue;
    const read = readDocument(value, options.sloth ?? {});
    if ('openSlo' in read) {
      if (openSlo.length === 0) openSloLine = line;
      openSlo.push(read.openSlo);
    } else if ('definitions' in read) take(read.definitions, line);
    else {
      const at = read.path.length === 0 ? undefined : rangeOf(document.getIn([...read.path], true));
      problems.push({ file, ...(at === undefined ? { line, column: 1 } : placeAt(at)), message: read.message });
    }
  }
  if (openSlo.length > 0) take(openSloDefinitions(openSlo, [...openSlo, ...(options.known ?? [])]), openSloLine);
  return { found, warnings, problems };
}

function rangeOf(node: unknown): number | undefined {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}

type ReadDocument =
  | { readonly openSlo: OpenSloDocument }
  | { readonly definitions: Definitions }
  | { readonly path: readonly (string | number)[]; readonly message: string };

function readDocument(value: unknown, sloth: SlothOptions): ReadDocument {
  const head = z.object({ apiVersion: z.string().optional(), version: z.string().optional() }).safeParse(value);
  const version = head.success ? (head.data.apiVersion ?? head.data.version ?? '') : '';
  switch (version) {
    case 'openslo/v1':
      return parsedBy(openSloDocument, value, (openSlo) => ({ openSlo }));
    case 'openslo/v1alpha':
      return parsedBy(alphaDocument, value, (document) => ({ definitions: alphaDefinitions(document, sloth) }));
    case 'prometheus/v1':
      return parsedBy(slothDocument, value, (document) => ({ definitions: slothDefinitions(document, sloth) }));
    case 'pyrra.dev/v1alpha1':
      return parsedBy(pyrraDocument, value, (document) => ({ definitions: pyrraDefinitions(document) }));
    default:
      return {
        path: [],
        message: `not a definition: apiVersion openslo/v1, pyrra.dev/v1alpha1, or version prometheus/v1 is missing (found "${version}")`,
      };
  }
}

function parsedBy<Output>(schema: z.ZodType<Output>, value: unknown, use: (output: Output) => ReadDocument): ReadDocument {
  const parsed = schema.safeParse(value);
  if (parsed.success) return use(parsed.data);
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  return { path, message: `${path.join('.')}${path.length === 0 ? '' : ': '}${issue?.message ?? 'not understood'}` };
}

/** OpenSLO v1alpha as Sloth takes it: ratios of events over a number of days. */
const query = z.object({ query: z.string() });
const alphaDocument = z.object({
  apiVersion: z.literal('openslo/v1alpha'),
  kind: z.literal('SLO'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    service: z.string(),
    description: z.string().default(''),
    objectives: z.array(z.object({ ratioMetrics: z.object({ good: query, total: query }), target: z.number().gt(0).lt(1) })).min(1),
    timeWindows: z.array(z.object({ count: z.number().int().positive(), unit: z.literal('Day') })).min(1),
  }),
});

function alphaDefinitions({ metadata, spec }: z.output<typeof alphaDocument>, options: SlothOptions): Definitions {
  const disabled = { disable: true, labels: {}, annotations: {} };
  const slos = spec.objectives.map(
    ({ ratioMetrics: { good, total }, target }, index): SlothSlo => ({
      id: `${spec.service}-${metadata.name}-${index}`,
      service: spec.service,
      name: `${metadata.name}-${index}`,
      objective: Number((target * 100).toPrecision(12)),
      labels: {},
      sli: { raw: { error_ratio_query: `1 - (\n  (\n    ${good.query}\n  )\n  /\n  (\n    ${total.query}\n  )\n)` } },
      alerting: { name: '', labels: {}, annotations: {}, page_alert: disabled, ticket_alert: disabled },
      spec: 'openslo/v1alpha',
      windowMs: (spec.timeWindows[0]?.count ?? 30) * DAY_MS,
    }),
  );
  const read = definitionsOf(slos, options);
  // Good and total are counters here, so that the SLA counts events although the rules do not.
  const counted = spec.objectives.map(({ ratioMetrics: { good, total } }) => ({ good: inFive(good.query), total: inFive(total.query) }));
  return joined([NOTHING, { ...read, slas: read.slas.map((sla, index) => ({ ...sla, indicator: { kind: 'ratio', ...counted[index] } })) }]);
}

const inFive = (text: string): string => text.replaceAll(/\{\{\s*\.window\s*\}\}/g, '5m').trim();
