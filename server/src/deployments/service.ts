import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Bus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { type Cursor, pageOfSeen } from '../platform/http/cursor.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { DEPLOYMENT_CODES, type DeploymentView, type ToldDeployment } from './contract.ts';
import { SAME_WITHIN_MS, amended, begun, faultOf } from './evaluate.ts';
import * as store from './store.ts';

/** More than fifty a day for two years; of one service, so that a pipeline gone wild forgets nobody else's. */
const KEPT: Kept = { all: 50_000, each: 5_000 };
type Kept = { readonly all: number; readonly each: number };

export type DeploymentsDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Pick<Bus, 'publish'>;
  readonly services: Pick<ServiceCatalogue, 'get'>;
};

type Sees = (service: string) => boolean;

/** What pipelines told of versions. */
export class Deployments {
  readonly #deps: DeploymentsDeps;
  readonly #keep: Kept;
  readonly #alone = createTurns();

  /** `keep`: the oldest beyond it are forgotten. */
  constructor(deps: DeploymentsDeps, keep = KEPT) {
    this.#deps = deps;
    this.#keep = keep;
  }

  /** Keeps what is told, or adds it to what is known; `isNew` says which. `AppError` `service_not_found`, `deployment_invalid`. */
  tell(told: ToldDeployment, by: string): Promise<{ readonly deployment: DeploymentView; readonly isNew: boolean }> {
    return this.#alone(async () => {
      const { db, clock, ids, bus, services } = this.#deps;
      const nowMs = clock.now();
      if (services.get(told.service) === undefined) {
        const message = `there is no service "${told.service}"; name the id of one, as /api/services lists them`;
        throw new AppError('bad_input', DEPLOYMENT_CODES.noService, message, { field: 'service' });
      }
      const known = await this.#known(told, nowMs);
      const fault = faultOf(told, nowMs, known?.at_ms);
      if (fault !== undefined) throw new AppError('bad_input', DEPLOYMENT_CODES.invalid, `${fault[0]} ${fault[1]}`, { field: fault[0] });
      const deployment = known === undefined ? begun({ told, nowMs }, { id: ids.uuid(), by }) : amended(known, { told, nowMs });
      if (known !== undefined) await store.update(db.kysely, deployment);
      else if (await store.insert(db.kysely, deployment, told.key ?? deployment.id)) await this.#trim(told.service);
      // Another process was told the same a moment ago.
      else return { deployment: (await store.findByKey(db.kysely, told.service, told.key ?? deployment.id)) ?? deployment, isNew: false };
      bus.publish({ topic: 'services', type: 'deployment.recorded', atMs: nowMs, data: deployment });
      return { deployment, isNew: known === undefined };
    });
  }

  #known(told: ToldDeployment, nowMs: number): Promise<DeploymentView | undefined> {
    const { kysely } = this.#deps.db;
    if (told.key !== undefined) return store.findByKey(kysely, told.service, told.key);
    const atMs = told.at_ms ?? nowMs;
    return store.findAlike(kysely, { ...told, fromMs: atMs - SAME_WITHIN_MS, toMs: atMs + SAME_WITHIN_MS });
  }

  async #trim(service: string): Promise<void> {
    const { kysely } = this.#deps.db;
    await store.trim(kysely, this.#keep.each, service);
    await store.trim(kysely, this.#keep.all);
  }

  /** Newest first. */
  list(
    wanted: store.Wanted,
    { sees, ...page }: { readonly limit: number; readonly after: Cursor | undefined; readonly sees: Sees | undefined },
  ) {
    return pageOfSeen({
      ...page,
      cursorOf: ({ at_ms: atMs, id }) => ({ atMs, id }),
      sees: sees === undefined ? undefined : ({ service }: DeploymentView) => sees(service),
      fetch: (limit, after) => store.page(this.#deps.db.kysely, wanted, { limit, after }),
    });
  }

  /** `AppError` `deployment_not_found`, also for one that the reader does not see. */
  async get(id: string, sees: Sees): Promise<DeploymentView> {
    const found = await store.find(this.#deps.db.kysely, id);
    if (found === undefined || !sees(found.service))
      throw new AppError('not_found', DEPLOYMENT_CODES.notFound, `there is no deployment "${id}"`);
    return found;
  }

  /** Takes back what was told by mistake. `AppError` `deployment_not_found`. */
  async remove(id: string, sees: Sees): Promise<void> {
    const gone = await this.get(id, sees);
    await store.remove(this.#deps.db.kysely, id);
    this.#deps.bus.publish({ topic: 'services', type: 'deployment.removed', atMs: this.#deps.clock.now(), data: gone });
  }
}
