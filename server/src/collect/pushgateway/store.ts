import { printValue } from '@nines/model/exposition-print.ts';
import { parseSampleValue } from '@nines/model/exposition.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { PushGroupRow } from '../../platform/db/migrations/0006-push-groups.ts';
import type { Sql } from '../../platform/records/contract.ts';
import { type PushGroup, keyOf } from './evaluate.ts';

/** Table `push_groups`. */
type StoredFamily = {
  readonly name: string;
  readonly metadata: MetricMetadata;
  readonly samples: readonly (readonly [readonly string[], string])[];
};

export async function loadGroups(sql: Sql): Promise<readonly PushGroup[]> {
  const rows = await sql.selectFrom('push_groups').selectAll().orderBy('group_key').execute();
  return rows.map((row) => ({
    grouping: JSON.parse(row.group_key) as readonly string[],
    pushedAtMs: row.pushed_at_ms,
    failedAtMs: row.failed_at_ms,
    families: new Map(
      (JSON.parse(row.families) as readonly StoredFamily[]).map(({ name, metadata, samples }) => [
        name,
        { metadata, samples: samples.map(([labels, value]) => ({ labels, value: parseSampleValue(value) ?? Number.NaN })) },
      ]),
    ),
  }));
}

export async function saveGroup(sql: Sql, group: PushGroup): Promise<void> {
  const families = [...group.families].map(
    ([name, { metadata, samples }]): StoredFamily => ({
      name,
      metadata,
      samples: samples.map(({ labels, value }) => [labels, printValue(value)]),
    }),
  );
  const row: PushGroupRow = {
    group_key: keyOf(group.grouping),
    pushed_at_ms: group.pushedAtMs,
    failed_at_ms: group.failedAtMs,
    families: JSON.stringify(families),
  };
  const { group_key: _key, ...changing } = row;
  await sql
    .insertInto('push_groups')
    .values(row)
    .onConflict((conflict) => conflict.column('group_key').doUpdateSet(changing))
    .execute();
}

export async function removeGroup(sql: Sql, key: string): Promise<void> {
  await sql.deleteFrom('push_groups').where('group_key', '=', key).execute();
}
