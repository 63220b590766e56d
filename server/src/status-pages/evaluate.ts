import type { State } from '@nines/maths/slo/types.ts';
import type { Occurrence } from '../maintenance/contract.ts';
import type { History } from './days.ts';
import { type Announcement, beganAtMs, isOpen, latest } from './contract.ts';

/** What a page says of a service now: its state, or that somebody works on it. */
export type ShownState = State | 'maintenance';

/** A service on a page, with all that the page says about it. */
export type ServiceSight = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly state: ShownState;
  /** The state of the ledger, also during maintenance. */
  readonly seen: State;
  readonly sinceMs: number;
  readonly history: History;
  /** Open announcements that name it. */
  readonly announcements: readonly Announcement[];
};

/** Planned maintenance, of its services those that the page shows. */
export type PlannedWork = Pick<Occurrence, 'window' | 'name' | 'services' | 'fromMs' | 'toMs' | 'plannedFromMs' | 'announcedAtMs'>;

/** All that a page shows, at an instant. */
export type Sight = {
  readonly atMs: number;
  readonly state: ShownState;
  readonly groups: readonly { readonly name: string; readonly services: readonly ServiceSight[] }[];
  /** Newest first. */
  readonly open: readonly Announcement[];
  readonly past: readonly Announcement[];
  /** By start. Those going on now first. */
  readonly maintenance: readonly PlannedWork[];
};

/** What the services of a page are called there, by id. */
export const namesOf = (groups: Sight['groups']): ReadonlyMap<string, string> =>
  new Map(groups.flatMap(({ services }) => services.map(({ id, name }) => [id, name] as const)));

/** Planned work by its window, which may come again, in the order in which it comes. */
export const byWindow = <Work extends Pick<PlannedWork, 'window'>>(all: readonly Work[]): readonly (readonly Work[])[] => [
  ...Map.groupBy(all, ({ window }) => window).values(),
];

/** Of each window what comes next. */
export const nextOfEach = <Work extends Pick<PlannedWork, 'window'>>(all: readonly Work[]): readonly Work[] =>
  byWindow(all).flatMap(([first]) => first ?? []);

/** From bad to good: what the whole page says is the first of these that one of its services is in. */
const WORST_FIRST: readonly ShownState[] = ['down', 'degraded', 'unknown', 'maintenance', 'up'];

export const overallOf = (services: readonly { readonly state: ShownState }[]): ShownState =>
  WORST_FIRST.find((state) => services.some((service) => service.state === state)) ?? 'unknown';

/** While somebody works on a service its state says nothing to a reader that the maintenance does not. */
export const shownState = (seen: State, inMaintenance: boolean): ShownState => (inMaintenance ? 'maintenance' : seen);

type About = { readonly page: string; readonly services: ReadonlySet<string>; readonly sinceMs: number };

/** Announcements of a page, of their services those it shows; each part newest first. Those that ended before `sinceMs` are left out. */
export function announcementsOf(all: readonly Announcement[], { page, services, sinceMs }: About): Pick<Sight, 'open' | 'past'> {
  const own = all
    .filter((one) => one.withdrawnAtMs === null && one.pages.includes(page))
    .map((one) => ({ ...one, services: one.services.filter((id) => services.has(id)) }))
    .sort((a, b) => beganAtMs(b) - beganAtMs(a) || (a.id < b.id ? 1 : -1));
  return { open: own.filter(isOpen), past: own.filter((one) => !isOpen(one) && latest(one).atMs >= sinceMs) };
}

/** Which services the first sentence of a page is about: how many of all are in its state, and the name of the only one. */
export function affectedOf({ state, groups }: Pick<Sight, 'state' | 'groups'>): Affected {
  const services = groups.flatMap((group) => group.services);
  const [only, ...more] = services.filter((service) => service.state === state);
  return { name: more.length === 0 ? only?.name : undefined, affected: only === undefined ? 0 : 1 + more.length, all: services.length };
}

export type Affected = { readonly name: string | undefined; readonly affected: number; readonly all: number };

/** What a state is called, where it stands alone. */
export const STATE_WORDS: Readonly<Record<ShownState, string>> = {
  up: 'Up',
  degraded: 'Degraded',
  down: 'Down',
  unknown: 'Unknown',
  maintenance: 'Maintenance',
};

export const ANNOUNCEMENT_WORDS = {
  notice: 'Notice',
  investigating: 'Investigating',
  identified: 'Identified',
  monitoring: 'Monitoring',
  resolved: 'Resolved',
} as const;
