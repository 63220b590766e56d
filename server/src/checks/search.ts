/** Which checks a reader asks for, in which order, and how many there are in each state; pure, one pass over all of them. */
import type { CheckSpec, CheckView } from './contract.ts';

/** `written`: as the configuration has them. `trouble`: what is down first, then by id. */
export const CHECK_ORDERS = ['written', 'trouble'] as const;
type CheckOrder = (typeof CHECK_ORDERS)[number];
type State = CheckView['state'];

export type CheckSearch = {
  readonly service?: string | undefined;
  readonly team?: string | undefined;
  /** Words that all occur in the id, the name, the service, the kind, the target or the state, whatever the case. */
  readonly q?: string | undefined;
  readonly order: CheckOrder;
};

/** `byState`: of all checks that were given, whatever the search leaves of them. */
export type FoundChecks = { readonly found: readonly CheckSpec[]; readonly byState: Readonly<Record<State, number>> };

const TROUBLE: Readonly<Record<State, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };

export function findChecks(specs: readonly CheckSpec[], search: CheckSearch, stateOf: (id: string) => State): FoundChecks {
  const { service, team, q = '', order } = search;
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const byState: Record<State, number> = { up: 0, degraded: 0, down: 0, unknown: 0 };
  const found: { readonly spec: CheckSpec; readonly rank: number }[] = [];
  for (const spec of specs) {
    const state = stateOf(spec.id);
    byState[state]++;
    if (service !== undefined && spec.service !== service) continue;
    if (team !== undefined && (spec.labels['team'] ?? '') !== team) continue;
    if (holdsWords(spec, state, words)) found.push({ spec, rank: TROUBLE[state] });
  }
  if (order === 'trouble') found.sort((a, b) => a.rank - b.rank || (a.spec.id < b.spec.id ? -1 : 1));
  return { found: found.map(({ spec }) => spec), byState };
}

function holdsWords({ id, name = '', service, kind, target }: CheckSpec, state: State, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = `${id}\n${name}\n${service}\n${kind}\n${target}\n${state}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
