import { isIP } from 'node:net';
import { hostOfCheck, localRefusal, type ParsedCheck } from '../checks/contract.ts';
import type { Judgement } from '../platform/fetch/judge.ts';
import { type CompositeSpec, membersOf } from './composite.ts';

/** What must be known of services to judge them together. */
export type Judged = {
  readonly id: string;
  readonly depends_on: readonly string[];
  readonly composite?: CompositeSpec | undefined;
  readonly down_when?: 'any' | 'all' | { readonly at_least: number };
  readonly checks: readonly { readonly id: string }[];
};

/** A contradiction and where it stands, as a path into the list. */
export type Contradiction = { readonly path: readonly (string | number)[]; readonly message: string };

/** Contradictions across services: ids used twice, dependencies on what is not there, cycles. `known` are ids that exist besides. */
export function judgeServices(services: readonly Judged[], known: readonly string[] = []): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const firstService = new Map<string, number>();
  const firstCheck = new Map<string, string>();
  services.forEach((service, i) => {
    if (firstService.has(service.id)) found.push({ path: [i, 'id'], message: `the service "${service.id}" is declared twice` });
    else firstService.set(service.id, i);
    service.checks.forEach((check, j) => {
      const owner = firstCheck.get(check.id);
      if (owner === undefined) firstCheck.set(check.id, service.id);
      else
        found.push({
          path: [i, 'checks', j, 'id'],
          message: `the check "${check.id}" is declared twice, here and in the service "${owner}"`,
        });
    });
  });
  services.forEach((service, i) => {
    service.depends_on.forEach((id, j) => {
      if (!firstService.has(id) && !known.includes(id)) {
        found.push({ path: [i, 'depends_on', j], message: `"${service.id}" depends on "${id}", which is no service` });
      }
    });
    const { composite, down_when: downWhen } = service;
    if (typeof downWhen === 'object' && downWhen.at_least > service.checks.length) {
      const message = `"${service.id}" has ${service.checks.length} checks: ${downWhen.at_least} of them can never be down`;
      found.push({ path: [i, 'down_when', 'at_least'], message });
    }
    if (composite === undefined) return;
    if (service.checks.length > 0) {
      found.push({ path: [i, 'checks'], message: `"${service.id}" consists of other services: it has no checks of its own` });
    }
    for (const { id, path } of membersOf(composite)) {
      if (firstService.has(id) || known.includes(id)) continue;
      found.push({ path: [i, 'composite', ...path], message: `"${service.id}" consists of "${id}", which is no service` });
    }
  });
  const cycle = findCycle(services);
  if (cycle !== undefined) {
    const at = firstService.get(cycle[0] ?? '') ?? 0;
    const field = services[at]?.depends_on.includes(cycle[1] ?? cycle[0] ?? '') === true ? 'depends_on' : 'composite';
    found.push({ path: [at, field], message: `services depend on each other in a circle: ${[...cycle, cycle[0]].join(' → ')}` });
  }
  return found;
}

/**
 * The first check of a service made through the API whose target may not be asked, as far as its address is written out; a
 * name is judged at each attempt. Accepting it would mean a service that is unknown for ever.
 */
export function judgeTargets(
  checks: readonly ParsedCheck[],
  judge: (address: string, host: string, check: ParsedCheck) => Judgement,
): Contradiction | undefined {
  for (const [index, check] of checks.entries()) {
    const refusal = localRefusal(check);
    if (refusal !== undefined) return { path: ['checks', index, 'kind'], message: refusal };
    const asked = hostOfCheck(check);
    if (asked === undefined) continue;
    const { host, field } = asked;
    const address = host === 'localhost' || host.endsWith('.localhost') ? '127.0.0.1' : host;
    const judgement = isIP(address) === 0 ? undefined : judge(address, host, check);
    if (judgement?.allowed === false) return { path: ['checks', index, field], message: judgement.reason };
  }
  return undefined;
}

/** What a service depends on: what it was said to, and what it consists of. */
export function dependenciesOf(service: Pick<Judged, 'depends_on' | 'composite'>): readonly string[] {
  const { composite } = service;
  return composite === undefined ? service.depends_on : [...new Set([...service.depends_on, ...membersOf(composite).map(({ id }) => id)])];
}

/** The first circle of dependencies, by its members in order; undefined when there is none. Walks each service once. */
export function findCycle(services: readonly Pick<Judged, 'id' | 'depends_on' | 'composite'>[]): readonly string[] | undefined {
  const dependencies = new Map(services.map((service) => [service.id, dependenciesOf(service)]));
  const done = new Set<string>();
  for (const { id } of services) {
    // An explicit stack: a chain of five thousand services must not end in a stack overflow.
    const path: { readonly id: string; next: number }[] = [{ id, next: 0 }];
    const onPath = new Set([id]);
    while (path.length > 0 && !done.has(id)) {
      const top = path.at(-1);
      if (top === undefined) break;
      const child = dependencies.get(top.id)?.[top.next++];
      if (child === undefined) {
        done.add(top.id);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(child)) {
        const ids = path.map((step) => step.id);
        return ids.slice(ids.indexOf(child));
      } else if (!done.has(child) && dependencies.has(child)) {
        path.push({ id: child, next: 0 });
        onPath.add(child);
      }
    }
  }
  return undefined;
}
