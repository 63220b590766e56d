import { type Result, err, ok } from '@nines/base/result.ts';
import { type Labels, METRIC_NAME, labelsFrom } from '@nines/model/labels.ts';
import { METRIC_TYPES } from '@nines/model/metadata.ts';
import type { AppendOutcome } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { z } from 'zod';
import type { Ingest } from './contract.ts';
import type { Metadata, MetricAttributes } from './metadata-book.ts';
import type { Sink } from './scoped-ingest.ts';

/**
 * `POST /api/metrics`: custom metrics as JSON. Each item is judged by itself: the good ones are stored, the others are
 * answered one by one. Repeating a request changes nothing, so a client may send the whole again.
 */
export const MAX_PUSH_ITEMS = 50_000;

export const CATEGORIES = ['system', 'application', 'business', 'security', 'network', 'gpu', 'ml', 'custom'] as const;

export const pushItem = z.strictObject({
  name: z.string().min(1),
  /** JSON has no infinities: they are written `"+Inf"`, `"-Inf"`, `"NaN"`. */
  value: z.union([z.number(), z.enum(['+Inf', '-Inf', 'Inf', 'NaN'])]),
  labels: z.record(z.string().min(1), z.string()).optional(),
  /** Unix milliseconds; the moment of arrival when absent. */
  at_ms: z.int().optional(),
  type: z.enum([...METRIC_TYPES, 'untyped']).optional(),
  unit: z.string().optional(),
  help: z.string().optional(),
  category: z.enum(CATEGORIES).optional(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
});
export type PushItem = z.infer<typeof pushItem>;

/** Items are judged one by one, so the schema of the whole takes anything. */
export const pushBody = z.strictObject({
  metrics: z
    .array(z.unknown().meta({ description: 'name, value, labels, at_ms, type, unit, help, category, metadata' }))
    .max(MAX_PUSH_ITEMS),
});

export type PushRefusal = { readonly index: number; readonly name: string | null; readonly code: string; readonly detail: string };

type Sample = { readonly index: number; readonly name: string; readonly labels: Labels; readonly atMs: number; readonly value: number };

/** Stores the good items. The answer lists the refused ones in their order; empty means that everything is stored. */
export async function push(items: readonly unknown[], nowMs: number, { ingest, metadata }: Sink): Promise<readonly PushRefusal[]> {
  const samples: Sample[] = [];
  const refusals: PushRefusal[] = [];
  items.forEach((item, index) => {
    const read = readItem(item, index, nowMs);
    if (read.ok) samples.push(read.value.sample);
    else refusals.push(read.error);
    if (read.ok && read.value.described) metadata.record(read.value.sample.name, metadataOf(read.value.item), 'push');
  });
  // A store lists only the first refusals of a batch, so what comes after them is sent again: stored samples repeat harmlessly.
  for (let rest: readonly Sample[] = samples; rest.length > 0; ) {
    const outcome = await append(rest, ingest);
    for (const one of outcome.refused) {
      const sample = rest[one.series];
      if (sample !== undefined) refusals.push({ index: sample.index, name: sample.name, code: one.reason, detail: one.detail });
    }
    const last = outcome.refused.at(-1)?.series;
    if (last === undefined || outcome.refusedCount <= outcome.refused.length) break;
    rest = rest.slice(last + 1);
  }
  return refusals.sort((a, b) => a.index - b.index);
}

function append(samples: readonly Sample[], ingest: Ingest): Promise<AppendOutcome> {
  const builder = createBatchBuilder();
  for (const { labels, atMs, value } of samples) builder.add(labels, atMs, value);
  return ingest.append(builder.batch());
}

type Read = { readonly sample: Sample; readonly item: PushItem; readonly described: boolean };

function readItem(raw: unknown, index: number, nowMs: number): Result<Read, PushRefusal> {
  const parsed = pushItem.safeParse(raw);
  const name = typeof raw === 'object' && raw !== null && 'name' in raw && typeof raw.name === 'string' ? raw.name : null;
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return err({ index, name, code: 'invalid_item', detail: `${place}${issue?.message ?? 'not a metric'}` });
  }
  const item = parsed.data;
  const labels = item.labels ?? {};
  if (Object.hasOwn(labels, METRIC_NAME))
    return err({ index, name, code: 'invalid_labels', detail: `the name belongs into "name", not into the label ${METRIC_NAME}` });
  const value = typeof item.value === 'number' ? item.value : Number(item.value.replace('Inf', 'Infinity'));
  const sample = {
    index,
    name: item.name,
    labels: labelsFrom([...Object.entries(labels), [METRIC_NAME, item.name]]),
    atMs: item.at_ms ?? nowMs,
    value,
  };
  const described = [item.type, item.unit, item.help, item.category, item.metadata].some((part) => part !== undefined);
  return ok({ sample, item, described });
}

function metadataOf(item: PushItem): Parameters<Metadata['record']>[1] {
  const type = item.type === undefined || item.type === 'untyped' ? 'unknown' : item.type;
  const attributes: MetricAttributes = {
    ...(item.category === undefined ? {} : { category: item.category }),
    ...(item.metadata === undefined ? {} : { attributes: item.metadata }),
  };
  return { type, help: item.help ?? '', unit: item.unit ?? '', ...attributes };
}
