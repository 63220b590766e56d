import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { type RuleGroup, parseRuleFile } from '../../rules/contract.ts';
import { type ServiceSpec, serviceSchema } from '../../services/contract.ts';
import { slaDeclaration } from '../config.ts';
import type { DeclaredSla } from '../contracts.ts';
import { lintSla } from '../lint.ts';
import type { SlaSpec } from '../spec.ts';
import { type DefinedSla, ruleFileText } from './generated.ts';
import { type Placed, type ReadDefinitions, readDefinitions } from './read.ts';

type DefinedService = { readonly spec: ServiceSpec; readonly place: string };

/** What the files of definitions bring: contracts, the services they are about, rules. */
export type LoadedDefinitions = {
  readonly slas: readonly DeclaredSla[];
  /** Services that an SLA of a file names; a declared one of the same id wins. */
  readonly services: readonly DefinedService[];
  readonly ruleGroups: readonly RuleGroup[];
  readonly problems: readonly Placed[];
  readonly warnings: readonly Placed[];
};

/**
 * `taken`: ids of SLAs that the configuration itself declares, which win. The same definition in two files is taken once. `intervalMs`:
 * of generated groups that name none.
 */
export function loadDefinitions(
  patterns: readonly string[],
  options: { readonly baseDir: string; readonly taken: ReadonlySet<string>; readonly intervalMs?: number },
): LoadedDefinitions {
  const read = readDefinitions(patterns, options.baseDir);
  const problems = [...read.problems];
  const warnings = [
    ...read.warnings,
    ...read.unmatched.map((pattern) => ({ file: pattern, line: 1, column: 1, message: 'no file matches' })),
  ];
  const slas = new Map<string, DeclaredSla>();
  for (const { file, line, slas: defined, groups } of read.found) {
    for (const written of defined) {
      const parsed = parseDefined(written);
      const at = { file, line, column: 1 };
      if (typeof parsed === 'string') problems.push({ ...at, message: parsed });
      else if (options.taken.has(parsed.id))
        warnings.push({ ...at, message: `the SLA "${parsed.id}" is declared in the configuration, which wins` });
      else {
        const known = slas.get(parsed.id);
        if (known === undefined) {
          slas.set(parsed.id, { spec: parsed, place: `${file}:${line}` });
          // What brings alerts of its own says itself which of them are impossible.
          if (groups.length === 0) warnings.push(...lintSla(parsed).map((message) => ({ ...at, message })));
        }
        if (known !== undefined && !isSame(known.spec, parsed))
          problems.push({ ...at, message: `the SLA "${parsed.id}" is defined at ${known.place} too, in another way` });
      }
    }
  }
  const groups = groupsOf(read, options.intervalMs ?? MINUTE_MS);
  return {
    slas: [...slas.values()],
    services: servicesOf([...slas.values()]),
    ruleGroups: groups.groups,
    problems: [...problems, ...groups.problems],
    warnings,
  };
}

/** The stored terms of a definition, or what is wrong with it. */
export function parseDefined(written: DefinedSla): SlaSpec | string {
  const parsed = slaDeclaration.safeParse(written);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const message = issue?.message ?? 'not understood';
  return message.startsWith('the SLA ') ? message : `the SLA "${written.id}": ${issue?.path.join('.') ?? ''}: ${message}`;
}

const isSame = (a: SlaSpec, b: SlaSpec): boolean => canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json);

function servicesOf(slas: readonly DeclaredSla[]): readonly DefinedService[] {
  const places = new Map(slas.map(({ spec, place }) => [spec.service, place]));
  return Array.from(places, ([id, place]) => ({ spec: serviceSchema.parse({ id }), place }));
}

/** Groups by name, each once. */
function groupsOf(
  read: ReadDefinitions,
  defaultIntervalMs: number,
): { readonly groups: readonly RuleGroup[]; readonly problems: readonly Placed[] } {
  const groups = new Map<string, RuleGroup>();
  const problems: Placed[] = [];
  for (const { file, groups: generated } of read.found) {
    const fresh = generated.filter(({ name }) => !groups.has(name));
    if (fresh.length === 0) continue;
    const parsed = parseRuleFile(ruleFileText(fresh), { file, defaultIntervalMs, parseExpr });
    if (parsed.ok) for (const group of parsed.value) groups.set(group.name, group);
    // Lines of the generated text would name nothing in the file.
    else problems.push(...parsed.error.map(({ message }) => ({ file, line: 1, column: 1, message: `a rule of it: ${message}` })));
  }
  return { groups: [...groups.values()], problems };
}
