import type { Json } from '@nines/base/canonical-json.ts';
import { lengthInWords } from '@nines/base/length-words.ts';
import { digestOf } from './signature.ts';
import type { RevisionView, Statement } from './statement.ts';

/** What a restatement changes and why. Pure: equal statements, equal words. */

/** Changes listed; a period that changed in more places is told by its figures. */
const MAX_CHANGES = 500;

type Change = RevisionView['changes'][number];

/** How `after` differs from `before`, in both directions; trend and advice are left out, as they follow from the rest. */
export function changesBetween(before: Statement, after: Statement): Pick<RevisionView, 'changes' | 'why'> {
  const changes = Object.keys(after)
    .filter((name) => !['trend', 'recommendations', 'revision', 'signature'].includes(name))
    .sort()
    .flatMap((name) => compared(name, before[name as keyof Statement] as Json, after[name as keyof Statement] as Json));
  return { changes: changes.slice(0, MAX_CHANGES), why: reasonsFor(before, after) };
}

/** Leaves that differ. Members of lists are known by what names them, so that one that came shifts no other. */
function compared(path: string, from: Json | undefined, to: Json | undefined): readonly Change[] {
  if (from === to || digestOf(from ?? null) === digestOf(to ?? null)) return [];
  if (isList(from) && isList(to)) return comparedLists(path, from, to);
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return names.flatMap((name) => compared(`${path}.${name}`, from[name], to[name]));
  }
  return [{ path, from: from ?? null, to: to ?? null }];
}

function comparedLists(path: string, from: readonly Json[], to: readonly Json[]): readonly Change[] {
  const [before, after] = [named(from), named(to)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, next] = [before.get(name), after.get(name)];
    return old === undefined || next === undefined
      ? [{ path: `${path}[${name}]`, from: old ?? null, to: next ?? null }]
      : compared(`${path}[${name}]`, old, next);
  });
}

/** A member is known by its id or its start, otherwise by its place. */
const named = (list: readonly Json[]): ReadonlyMap<string, Json> => new Map(list.map((member, i) => [nameOf(member) ?? String(i), member]));

function nameOf(member: Json): string | undefined {
  if (!isObject(member)) return undefined;
  const name = member['id'] ?? member['from_at_ms'];
  return typeof name === 'string' || typeof name === 'number' ? String(name) : undefined;
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json | undefined): value is Readonly<Record<string, Json | undefined>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function reasonsFor(before: Statement, after: Statement): readonly string[] {
  const reasons = [
    ...exclusionReasons(before, after),
    ...maintenanceReasons(before, after),
    ...downtimeReasons(before, after),
    ...ledgerReasons(before, after),
    ...eventReasons(before, after),
  ];
  return reasons.length > 0 ? reasons : ['the figures follow from what changed'];
}

function exclusionReasons(before: Statement, after: Statement): readonly string[] {
  const [old, next] = [exclusionsIn(before), exclusionsIn(after)];
  const came = [...next]
    .filter(([id]) => !old.has(id))
    .map(([, one]) => `exclusion ${one.id} (${one.reason}) was approved by ${one.approved_by} at ${iso(one.approved_at_ms)}`);
  const went = [...old].filter(([id]) => !next.has(id)).map(([, one]) => `exclusion ${one.id} (${one.reason}) was revoked`);
  return [...came, ...went];
}

/** Maintenance that, as was said afterwards, did not take place or not for so long. */
function maintenanceReasons(before: Statement, after: Statement): readonly string[] {
  const [old, next] = [plannedMs(before), plannedMs(after)];
  return old === next ? [] : [`${lengthInWords(next)} of planned maintenance is excluded, it was ${lengthInWords(old)}`];
}

const plannedMs = ({ exclusions }: Statement): number =>
  exclusions.reduce((sum, { by, from_at_ms: from, to_at_ms: to }) => sum + (by === 'maintenance' ? to - from : 0), 0);

const exclusionsIn = (statement: Statement) =>
  new Map(statement.exclusions.flatMap(({ exclusion }) => (exclusion === null ? [] : [[exclusion.id, exclusion] as const])));

function downtimeReasons(before: Statement, after: Statement): readonly string[] {
  const old = new Map(before.downtimes.map((one) => [one.id, one]));
  return after.downtimes.flatMap((one) => {
    const was = old.get(one.id);
    return was === undefined || was.revision === one.revision
      ? []
      : [`the outage of ${iso(one.from_at_ms)} was described anew: ${one.reason}`];
  });
}

/** The ledger's history of the period is another: a confirmation, or results that came late. */
function ledgerReasons(before: Statement, after: Statement): readonly string[] {
  if (digestOf(before.timeline) === digestOf(after.timeline)) return [];
  const differing = differingMs(before, after);
  return [
    differing === 0
      ? 'the evidence of the ledger for the period became better; no state changed'
      : `better knowledge arrived: ${lengthInWords(differing)} of the period ${differing === 1 ? 'is' : 'are'} in another state`,
  ];
}

/** Events that were counted since, or no longer are. */
function eventReasons({ budget: old }: Statement, { budget: next }: Statement): readonly string[] {
  if (old.unit !== 'events' || next.unit !== 'events' || (old.spent === next.spent && old.total === next.total)) return [];
  return [`other events are counted: ${next.spent} of ${next.total} allowed were bad, it was ${old.spent} of ${old.total}`];
}

/** For how long the two time lines disagree about the state. */
function differingMs(before: Statement, after: Statement): number {
  let [sum, i] = [0, 0];
  for (const interval of after.timeline) {
    while ((before.timeline[i]?.to_at_ms ?? Number.POSITIVE_INFINITY) <= interval.from_at_ms) i++;
    for (let j = i; (before.timeline[j]?.from_at_ms ?? Number.POSITIVE_INFINITY) < interval.to_at_ms; j++) {
      const old = before.timeline[j];
      if (old === undefined || (old.state === interval.state && old.unknown_reason === interval.unknown_reason)) continue;
      sum += Math.min(old.to_at_ms, interval.to_at_ms) - Math.max(old.from_at_ms, interval.from_at_ms);
    }
  }
  return sum;
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
