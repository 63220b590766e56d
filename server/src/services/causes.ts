import { type EpochMs, MINUTE_MS } from '@nines/base/units.ts';
import type { State } from '@nines/maths/slo/types.ts';
import type { ServiceEntry } from './contract.ts';

/**
 * What a service touches and what touches it, over the graph of dependencies, and which of the services that fail together is
 * probably why. A suggestion from the order of failures and the shape of the graph; it changes no state and no figure.
 */
export type Graph = {
  readonly dependenciesOf: (id: string) => readonly string[];
  readonly dependentsOf: (id: string) => readonly string[];
  readonly currentOf: (id: string) => { readonly state: State; readonly sinceMs: EpochMs };
};

/** A service on the way, and how many dependencies lie between. */
export type Related = { readonly service: string; readonly distance: number };

export type Cause = {
  readonly service: string;
  readonly state: 'down' | 'degraded';
  readonly sinceMs: EpochMs;
  /** The failing services that depend on it, however indirectly. */
  readonly explains: readonly string[];
  /** Whether nothing that it depends on fails itself. */
  readonly isRoot: boolean;
};

/** A cause may be noticed that much later than what it broke, because checks do not ask at the same instants. */
const NOTICED_LATER_MS = 2 * MINUTE_MS;
const MAX_CAUSES = 3;

export const graphOf = (
  services: { get(id: string): Pick<ServiceEntry, 'dependsOn'> | undefined; dependents(id: string): readonly string[] },
  currentOf: Graph['currentOf'],
): Graph => ({
  dependenciesOf: (id) => services.get(id)?.dependsOn ?? [],
  dependentsOf: (id) => services.dependents(id),
  currentOf,
});

/** Everything that can be reached from a service, nearest first, without the service itself. */
export function reachedFrom(id: string, next: (id: string) => readonly string[]): readonly Related[] {
  const found = new Map([[id, 0]]);
  for (const [at, distance] of found) for (const other of next(at)) if (!found.has(other)) found.set(other, distance + 1);
  found.delete(id);
  return [...found].map(([service, distance]) => ({ service, distance }));
}

/**
 * The probable causes of a service that fails, most probable first, three at most: services that it depends on, however indirectly,
 * which fail since before it did. First those that depend on nothing that fails, then those that explain more, then the earlier.
 * None when it does not fail.
 */
export function probableCauses(id: string, graph: Graph): readonly Cause[] {
  const own = graph.currentOf(id);
  if (!fails(own.state)) return [];
  const causes = reachedFrom(id, graph.dependenciesOf).flatMap(({ service }): Cause[] => {
    const { state, sinceMs } = graph.currentOf(service);
    if (!fails(state) || sinceMs > own.sinceMs + NOTICED_LATER_MS) return [];
    const explains = reachedFrom(service, graph.dependentsOf)
      .map((related) => related.service)
      .filter((other) => fails(graph.currentOf(other).state));
    const isRoot = !reachedFrom(service, graph.dependenciesOf).some((other) => fails(graph.currentOf(other.service).state));
    return [{ service, state, sinceMs, explains, isRoot }];
  });
  return causes
    .sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || b.explains.length - a.explains.length || a.sinceMs - b.sinceMs)
    .slice(0, MAX_CAUSES);
}

const fails = (state: State): state is 'down' | 'degraded' => state === 'down' || state === 'degraded';
