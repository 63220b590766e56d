import { TEAM_LABEL, visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { ownersOf } from './alerting/owners.ts';
import type { Inside, Thing } from './platform/http/contract.ts';
import type { Parts } from './parts.ts';
import { servicesNamedBy } from './problems/contract.ts';
import { type ServiceCatalogue, labelsOfService } from './services/contract.ts';
import { servicesOf } from './status-pages/contract.ts';

type Labels = Readonly<Record<string, string>>;

/** Where things are found by their id; each answers undefined, or throws, for what does not exist. */
export type Finders = {
  readonly services: ServiceCatalogue;
  /** Its labels, with the service that it is about. */
  readonly alert: (id: string) => Promise<Labels | undefined>;
  /** Whose a schedule is; the empty text is everybody's who sees everything. */
  readonly teamOf: (schedule: string) => string | undefined;
  /** The services that a thing is about, of the kinds that have no labels of their own. */
  readonly about: Readonly<Record<Exclude<Thing, 'service' | 'check' | 'alert' | 'schedule'>, (id: string) => Found | Promise<Found>>>;
};
type Found = readonly string[] | undefined;

/** The product's own things. */
export const insideOf = ({
  services,
  shared,
  oncall,
  problems,
  incidents,
  availability,
  slas,
  promises,
  maintenance,
  statusPages,
}: Parts): Inside => {
  const ofSla = (id: string): Found => {
    const entry = slas.book.get(id);
    return entry === undefined ? undefined : [entry.terms.spec.service];
  };
  return createInside({
    services,
    alert: async (id) => (await ownersOf(shared.sql, [id])).get(id),
    teamOf: (schedule) => oncall.roster.schedules.get(schedule)?.spec.team,
    about: {
      sla: ofSla,
      statement: async (id) => ofSla((await promises.statements.find(id)).sla),
      // A problem says what probably caused it, so it is about that as well.
      problem: async (id) => {
        const { problem } = await problems.detail(id);
        return servicesNamedBy(problem);
      },
      incident: async (id) => (await incidents.incidents.get(id)).services,
      downtime: async (id) => {
        const found = await availability.desk.get(id);
        return found === undefined ? undefined : [found.service];
      },
      maintenance: (id) => maintenance.get(id).services,
      status_page: (id) => {
        const page = statusPages.pages.get(id);
        return page === undefined ? undefined : servicesOf(page.spec).map(({ service }) => service);
      },
    },
  });
};

/** Whether a service is there and outside. */
export const foreignTo =
  (services: Pick<ServiceCatalogue, 'get'>) =>
  (scope: Scope, id: string): boolean => {
    const entry = services.get(id);
    return entry !== undefined && !visible(scope, labelsOfService(entry));
  };

/** What is inside a scope: things are judged by the labels of the services they are about, alerts by their own as well. */
export function createInside({ services, alert, teamOf, about }: Finders): Inside {
  const serviceOfCheck = byCheck(services);
  const ofService = (scope: Scope, id: string): boolean => {
    const entry = services.get(id);
    return entry !== undefined && visible(scope, labelsOfService(entry));
  };
  const labels = (scope: Scope, own: Labels): boolean => {
    const entry = own['service'] === undefined ? undefined : services.get(own['service']);
    return visible(scope, entry === undefined ? own : { ...labelsOfService(entry), ...own });
  };
  const inside = async (scope: Scope, thing: Thing, id: string): Promise<boolean> => {
    if (thing === 'service') return ofService(scope, id);
    if (thing === 'check') return ofService(scope, serviceOfCheck(id) ?? '');
    if (thing === 'alert') {
      const found = await alert(id);
      return found !== undefined && labels(scope, found);
    }
    if (thing === 'schedule') {
      const team = teamOf(id);
      return team !== undefined && visible(scope, { [TEAM_LABEL]: team });
    }
    const found = await about[thing](id);
    if (found === undefined) return false;
    return found.length === 0 ? visible(scope, {}) : found.every((service) => ofService(scope, service));
  };
  // What cannot be found is outside, however its domain says so.
  return { labels, thing: (scope, thing, id) => inside(scope, thing, id).catch(() => false) };
}

/** The service of a check, looked up anew only when the catalogue has changed. */
function byCheck(services: ServiceCatalogue): (check: string) => string | undefined {
  let known: readonly unknown[] | undefined;
  let found = new Map<string, string>();
  return (check) => {
    const list = services.list();
    if (list !== known) {
      known = list;
      found = new Map(list.flatMap(({ id, checks }) => checks.map((one) => [one, id] as const)));
    }
    return found.get(check);
  };
}
