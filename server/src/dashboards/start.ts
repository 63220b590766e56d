import type { State } from '@nines/maths/slo/types.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { CheckSpec } from '../checks/contract.ts';
import type { IncidentView } from '../incidents/contract.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import { startLoop } from '../platform/loop.ts';
import { Deliveries, type DeliveriesDeps, DELIVERY_TOPIC } from './deliveries/service.ts';
import { Drawer, type DrawerDeps } from './drawn/drawer.ts';
import { openPress } from './drawn/press.ts';
import { type Embeds, type EmbedsDeps, openEmbeds } from './embeds/service.ts';
import type { DeclaredDashboard } from './files.ts';
import type { SourceKind } from './model.ts';
import { Dashboards, type DashboardsDeps } from './service.ts';
import { SHIPPED_DASHBOARDS } from './shipped.ts';

/** The dashboards of the product, of the files and of people. */
export async function openDashboards({
  declared,
  ...deps
}: Omit<DashboardsDeps, 'shipped'> & { readonly declared: readonly DeclaredDashboard[] }): Promise<Dashboards> {
  const dashboards = new Dashboards({ ...deps, shipped: SHIPPED_DASHBOARDS });
  await dashboards.declare(declared);
  return dashboards;
}

/** Which area of the product the figures of each source belong to. */
const AREAS: Readonly<Record<SourceKind, string>> = {
  promql: 'metrics',
  services: 'services',
  slas: 'slas',
  checks: 'checks',
  incidents: 'incidents',
  alerts: 'alerts',
};

/** The kinds of figures that somebody may read. */
export const kindsOf = (mayRead: (area: string) => boolean): ReadonlySet<string> =>
  new Set(Object.entries(AREAS).flatMap(([kind, area]) => (mayRead(area) ? [kind] : [])));

type Board = Omit<DrawerDeps, 'checks' | 'alerts' | 'incidents' | 'paper'> & {
  readonly checks: { list(): readonly CheckSpec[] };
  readonly stateOfCheck: (check: string) => State;
  readonly alerting: {
    list(query: {
      status: 'open' | 'all';
      severities: [];
      rule: undefined;
      service: undefined;
      fromMs: undefined;
      toMs: undefined;
      cursor: undefined;
      limit: number;
    }): Promise<{ readonly items: readonly AlertView[] }>;
  };
  readonly incidents: {
    list(query: {
      status: 'open' | 'all';
      severities: [];
      category: undefined;
      service: undefined;
      fromMs: undefined;
      toMs: undefined;
      cursor: undefined;
      limit: number;
    }): Promise<{ readonly items: readonly IncidentView[] }>;
  };
};
const ANY = { severities: [] as [], service: undefined, fromMs: undefined, toMs: undefined, cursor: undefined };

/** How often deliveries that are due are looked for. */
const DELIVERIES_STEP_MS = MINUTE_MS;

type Sent = Pick<DeliveriesDeps, 'mailer' | 'channels'> & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbox: Pick<Outbox, 'enqueue' | 'wake' | 'handle'>;
};
type Seen = {
  /** Somebody as they are now; undefined when they may not come in any more. */
  readonly actorOf: (who: { readonly kind: string; readonly id: string }) => Promise<Actor | undefined>;
  readonly mayRead: (actor: Actor, area: string) => boolean;
};

/** Dashboards as the server draws them: on paper, by mail, and under links in pages of others. */
export async function openDrawings({
  stateOfCheck,
  checks,
  alerting,
  incidents,
  actorOf,
  mayRead,
  ...deps
}: Board & Omit<EmbedsDeps, 'drawer' | 'sightOf'> & Sent & Seen) {
  await using opening = new AsyncDisposableStack();
  const press = opening.use(openPress(deps.clock));
  const drawer = new Drawer({
    ...deps,
    paper: press.paper,
    checks: { list: () => checks.list(), stateOf: stateOfCheck },
    alerts: async (status, limit) => (await alerting.list({ ...ANY, status, rule: undefined, limit })).items,
    incidents: async (status, limit) => (await incidents.list({ ...ANY, status, category: undefined, limit })).items,
  });
  const kindsFor = (actor: Actor): ReadonlySet<string> => kindsOf((area) => mayRead(actor, area));
  const sightOf: EmbedsDeps['sightOf'] = async (who) => {
    const actor = await actorOf(who);
    if (actor === undefined || !mayRead(actor, 'dashboards')) return undefined;
    return { scope: actor.scope, kinds: kindsFor(actor) };
  };
  const embeds: Embeds = await openEmbeds({ ...deps, drawer, sightOf });
  const deliveries = new Deliveries({ ...deps, drawer, sightOf });
  deps.outbox.handle(DELIVERY_TOPIC, (message) => deliveries.send(message));
  const step = (nowMs: number): Promise<void> => deliveries.step(nowMs);
  opening.use(startLoop({ ...deps, name: 'dashboard deliveries', everyMs: DELIVERIES_STEP_MS, step }));
  const stack = opening.move();
  return { drawer, embeds, deliveries, kindsFor, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
