import type { Kysely } from 'kysely';

/** What narrows a token beyond its role and scope, and the secret that a new one replaced. The columns stand in 0002's `TokenRow`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const add = (name: string, type: 'text' | 'bigint') => db.schema.alterTable('tokens').addColumn(name, type).execute();
  await add('permits', 'text');
  await add('actions', 'text');
  await add('addresses', 'text');
  await add('last_used_address', 'text');
  await add('previous_hash', 'text');
  await add('previous_until_ms', 'bigint');
  await db.schema.createIndex('tokens_previous').on('tokens').column('previous_hash').execute();
}
