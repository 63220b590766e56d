import type { Entity, Sql } from '../platform/records/contract.ts';
import type { SecretPlace, Secrets } from '../platform/secrets/contract.ts';
import { keptOpen, openLeaves, placeBelow, sealedLeaf } from '../platform/secrets/leaves.ts';
import { type ServiceSpec, serviceSchema, type WrittenService } from './contract.ts';
import { writtenOf } from './written.ts';

/** Declarations that were made through the API, as they stand in the database: secrets sealed. */
export const SERVICE_KIND = 'service';

const placeOf = (service: string): SecretPlace => ({ table: 'entities', id: `${SERVICE_KIND} ${service}`, column: 'spec' });

export const writtenToKeep = (secrets: Secrets, spec: ServiceSpec): WrittenService =>
  writtenOf(spec, (secret, path) => sealedLeaf(secrets, placeBelow(placeOf(spec.id), path), secret));

export type KeptService = {
  readonly spec: ServiceSpec;
  /** What stands in the place of secrets that cannot be read. */
  readonly standIns: readonly string[];
  /** An older version kept a secret open. */
  readonly wasOpen: boolean;
};

/** Undefined when it is no declaration any more. A check whose secret cannot be read is paused: it would be asked with a wrong one. */
export function readKept(secrets: Secrets, { slug, spec: kept }: Pick<Entity, 'slug' | 'spec'>): KeptService | undefined {
  const opened = openLeaves(secrets, placeOf(slug), kept);
  const parsed = serviceSchema.safeParse(opened.value);
  if (!parsed.success) return undefined;
  const closed = new Set([...opened.standIns.values()].map((path) => path.split('.').slice(0, 2).join('.')));
  const checks = parsed.data.checks.map((check, index) => (closed.has(`checks.${index}`) ? { ...check, paused: true } : check));
  return {
    spec: closed.size === 0 ? parsed.data : { ...parsed.data, checks },
    standIns: [...opened.standIns.keys()],
    wasOpen: keptOpen(parsed.data, opened),
  };
}

/** Seals what an older version kept open, in services that are gone as well. */
export async function sealKept(db: Sql, secrets: Secrets): Promise<void> {
  const rows = await db
    .selectFrom('entities')
    .select(['id', 'slug', 'spec'])
    .where('kind', '=', SERVICE_KIND)
    .where('origin', '=', 'ui')
    .execute();
  for (const { id, slug, spec } of rows) {
    const kept = readKept(secrets, { slug, spec: JSON.parse(spec) });
    if (kept?.wasOpen !== true) continue;
    const next = JSON.stringify(writtenToKeep(secrets, kept.spec));
    await db.updateTable('entities').set({ spec: next }).where('id', '=', id).where('spec', '=', spec).execute();
  }
}
