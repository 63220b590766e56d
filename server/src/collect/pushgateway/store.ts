import { printValue } from '@nines/model/exposition-print.ts';
import { parseSampleValue } from '@nines/model/exposition.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { PushGroupRow } from '../../platform/db/migrations/0006-push-groups.ts';
import type { Sql } from '../../platform/records/contract.ts';
import { type PushGroup, type PushedSample, keyOf } from './evaluate.ts';

/** Table `push_groups`. */
type StoredFamily = {
  readonly name: string;
  readonly metadata: MetricMetadata;
  readonly samples: readonly (readonly [labels: readonly string[], value: string, histogram?: Histogram])[];
};

export async function loadGroups(sql: Sql): Promise<readonly PushGroup[]> {
  const rows = await sql.selectFrom('push_groups').selectAll().orderBy('group_key').execute();
  return rows.map((row) => ({
    grouping: JSON.parse(row.group_key) as readonly string[],
    pushedAtMs: row.pushed_at_ms,
    failedAtMs: row.failed_at_ms,
    families: new Map(
      (JSON.parse(row.families, sumRead) as readonly StoredFamily[]).map(({ name, metadata, samples }) => [
        name,
        { metadata, samples: samples.map(sampleFrom) },
      ]),
    ),
  }));
}

export async function saveGroup(sql: Sql, group: PushGroup): Promise<void> {
  const families = [...group.families].map(
    ([name, { metadata, samples }]): StoredFamily => ({
      name,
      metadata,
      samples: samples.map(({ labels, value, histogram }) =>
        histogram === undefined ? [labels, printValue(value)] : [labels, '', histogram],
      ),
    }),
  );
  const row: PushGroupRow = {
    group_key: keyOf(group.grouping),
    pushed_at_ms: group.pushedAtMs,
    failed_at_ms: group.failedAtMs,
    families: JSON.stringify(families, sumWritten),
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

function sampleFrom([labels, value, histogram]: StoredFamily['samples'][number]): PushedSample {
  if (histogram !== undefined) return { labels, value: Number.NaN, histogram };
  return { labels, value: parseSampleValue(value) ?? Number.NaN };
}

/** A sum may be what JSON has no number for; counts cannot. */
const sumWritten = (key: string, value: unknown): unknown => (key === 'sum' && typeof value === 'number' ? printValue(value) : value);
const sumRead = (key: string, value: unknown): unknown => (key === 'sum' && typeof value === 'string' ? parseSampleValue(value) : value);
