import type { DeploymentRow } from '../platform/db/migrations/0081-deployments.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { DeploymentView } from './contract.ts';

const fromRow = ({ told_key: _key, by_name: by, ...row }: DeploymentRow): DeploymentView => ({
  ...row,
  status: row.status as DeploymentView['status'],
  by,
});

const toRow = ({ by, ...view }: DeploymentView, key: string): DeploymentRow => ({ ...view, by_name: by, told_key: key });

export async function findByKey(sql: Sql, service: string, key: string): Promise<DeploymentView | undefined> {
  const row = await sql.selectFrom('deployments').selectAll().where('service', '=', service).where('told_key', '=', key).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

export async function find(sql: Sql, id: string): Promise<DeploymentView | undefined> {
  const row = await sql.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

type Alike = Pick<DeploymentView, 'service' | 'environment' | 'version'> & { readonly fromMs: number; readonly toMs: number };

/** The last one of a version within [fromMs, toMs]. */
export async function findAlike(sql: Sql, { service, environment, version, fromMs, toMs }: Alike): Promise<DeploymentView | undefined> {
  const row = await sql
    .selectFrom('deployments')
    .selectAll()
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('version', '=', version)
    .where('at_ms', '>=', fromMs)
    .where('at_ms', '<=', toMs)
    .orderBy('at_ms', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** False when one is kept under the same key already. */
export async function insert(sql: Sql, view: DeploymentView, key: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows: rows } = await sql
    .insertInto('deployments')
    .values(toRow(view, key))
    .onConflict((conflict) => conflict.columns(['service', 'told_key']).doNothing())
    .executeTakeFirst();
  return rows === 1n;
}

export async function update(sql: Sql, { id, by, ...view }: DeploymentView): Promise<void> {
  await sql
    .updateTable('deployments')
    .set({ ...view, by_name: by })
    .where('id', '=', id)
    .execute();
}

export async function remove(sql: Sql, id: string): Promise<void> {
  await sql.deleteFrom('deployments').where('id', '=', id).execute();
}

export type Wanted = {
  readonly services: readonly string[];
  readonly environment: string | undefined;
  /** That ended at or after it, or run still. */
  readonly fromMs: number | undefined;
  /** That began before it. */
  readonly toMs: number | undefined;
};

/** Newest first. */
export async function page(sql: Sql, wanted: Wanted, { limit, after }: { readonly limit: number; readonly after: Cursor | undefined }) {
  const { services, environment, fromMs, toMs } = wanted;
  let query = sql.selectFrom('deployments').selectAll();
  if (services.length > 0) query = query.where('service', 'in', [...services]);
  if (environment !== undefined) query = query.where('environment', '=', environment);
  if (toMs !== undefined) query = query.where('at_ms', '<', toMs);
  if (fromMs !== undefined)
    query = query.where((or) => or.or([or('at_ms', '>=', fromMs), or('ended_at_ms', '>=', fromMs), or('status', '=', 'running')]));
  if (after !== undefined) {
    const { atMs, id } = after;
    query = query.where((or) => or.or([or('at_ms', '<', atMs), or.and([or('at_ms', '=', atMs), or('id', '<', id)])]));
  }
  return (await query.orderBy('at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(fromRow);
}

/** Forgets all but the newest `keep`, of one service or of all. Many can have begun at the same instant. */
export async function trim(sql: Sql, keep: number, service?: string): Promise<void> {
  let query = sql.selectFrom('deployments').select(['at_ms', 'id']);
  if (service !== undefined) query = query.where('service', '=', service);
  const first = await query.orderBy('at_ms', 'desc').orderBy('id', 'desc').offset(keep).limit(1).executeTakeFirst();
  if (first === undefined) return;
  const { at_ms: atMs, id } = first;
  let gone = sql
    .deleteFrom('deployments')
    .where((or) => or.or([or('at_ms', '<', atMs), or.and([or('at_ms', '=', atMs), or('id', '<=', id)])]));
  if (service !== undefined) gone = gone.where('service', '=', service);
  await gone.execute();
}
