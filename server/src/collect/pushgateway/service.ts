import type { Clock } from '@nines/base/clock.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { labelsKey } from '@nines/model/labels.ts';
import { type BatchBuilder, createBatchBuilder } from '@nines/model/write-batch.ts';
import { isFull } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import type { Sql } from '../../platform/records/contract.ts';
import { createTurns } from '../../platform/turns.ts';
import { metadataWithin } from '../scoped-ingest.ts';
import type { Metadata } from '../metadata-book.ts';
import type { Ingest, SelfMetrics } from '../contract.ts';
import {
  MAX_GROUPS,
  MAX_PUSHED_SAMPLES,
  type PushBody,
  type PushFault,
  type PushGroup,
  type PushedSample,
  conflictOf,
  failed,
  keyOf,
  pushed,
  readPush,
  sampleCount,
  samplesOf,
} from './evaluate.ts';
import { loadGroups, removeGroup, saveGroup } from './store.ts';
import { faultOf, isOwn, seesGroup } from './within.ts';

export type PushGatewayDeps = {
  readonly sql: Sql;
  readonly clock: Pick<Clock, 'now'>;
  readonly ingest: Ingest;
  readonly metadata: Pick<Metadata, 'record' | 'get'>;
  readonly metrics: SelfMetrics;
};
export type Push = {
  readonly grouping: readonly string[];
  readonly body: PushBody;
  readonly replaceAll: boolean;
  /** The sender's; everything when absent. */
  readonly scope?: Scope;
};

/** Keeps pushed groups: writes each when it is pushed and all of them at every `step`, as a scrape of a Pushgateway would. */
export class PushGateway {
  readonly #deps: PushGatewayDeps;
  readonly #groups = new Map<string, PushGroup>();
  /** Which group a series belongs to, by the key of its labels. */
  readonly #owners = new Map<string, string>();
  readonly #pushes;
  #samples = 0;
  #writtenMs = 0;
  /** Changes and steps, one after the other. */
  readonly #inTurn = createTurns();

  constructor(deps: PushGatewayDeps) {
    this.#deps = deps;
    deps.metrics.watch('nines_push_groups', 'Groups of metrics that were pushed and not deleted.', () => this.#groups.size);
    this.#pushes = deps.metrics.counter('nines_push_requests_total', 'Pushes of groups of metrics, by outcome.');
  }

  async load(): Promise<void> {
    for (const group of await loadGroups(this.#deps.sql)) this.#put(group);
  }

  groups(): Iterable<PushGroup> {
    return this.#groups.values();
  }

  /** Counts a push whose sender may not write what it holds. */
  noteOutside(): void {
    this.#pushes.add(1, { outcome: 'outside_scope' });
  }

  push(push: Push): Promise<Result<void, PushFault>> {
    return this.#inTurn(async () => {
      const nowMs = this.#nextMs(this.#deps.clock.now());
      const before = this.#groups.get(keyOf(push.grouping));
      const taken = await this.#take(push, before, nowMs);
      if (taken.ok || taken.error.kind !== 'outside') this.#pushes.add(1, { outcome: taken.ok ? 'taken' : taken.error.kind });
      else this.noteOutside();
      if (!taken.ok && taken.error.kind === 'inconsistent' && (before !== undefined || this.#groups.size < MAX_GROUPS)) {
        const group = failed(before, push.grouping, nowMs);
        await saveGroup(this.#deps.sql, group);
        this.#put(group);
      }
      return taken;
    });
  }

  /** Deletes the group, if there is one inside the scope, and ends its series. */
  remove(grouping: readonly string[], scope: Scope = FULL_SCOPE): Promise<void> {
    return this.#inTurn(async () => {
      const key = keyOf(grouping);
      const group = this.#groups.get(key);
      if (group === undefined || !isOwn(scope, group)) return;
      await removeGroup(this.#deps.sql, key);
      await this.#write(undefined, group, this.#nextMs(this.#deps.clock.now()));
      this.#drop(key);
    });
  }

  /** Writes every group again under the instant `nowMs`. */
  step(nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const builder = createBatchBuilder();
      const atMs = this.#nextMs(nowMs);
      for (const group of this.#groups.values()) for (const sample of samplesOf(group)) add(builder, sample, atMs);
      if (builder.seriesCount > 0) await this.#deps.ingest.append(builder.batch());
    });
  }

  async #take(push: Push, before: PushGroup | undefined, nowMs: number): Promise<Result<void, PushFault>> {
    const { scope = FULL_SCOPE } = push;
    const read = readPush(push.body, push.grouping, scope);
    if (!read.ok) return read;
    const key = keyOf(push.grouping);
    const outside = faultOf(scope, read.value, before);
    if (outside !== undefined) return err({ kind: 'outside', reason: outside });
    // What others pushed is not told to whoever may not see it.
    const seen = isFull(scope) ? this.#groups : new Map([...this.#groups].filter(([, group]) => seesGroup(scope, group)));
    const conflict = conflictOf(read.value, { key, groups: seen, owners: this.#owners });
    if (conflict !== undefined) return err({ kind: 'inconsistent', reason: conflict });
    const group = pushed(before, { grouping: push.grouping, families: read.value, replaceAll: push.replaceAll, nowMs });
    if (before === undefined && this.#groups.size >= MAX_GROUPS)
      return err({ kind: 'inconsistent', reason: `there are ${MAX_GROUPS} groups already; delete some` });
    const total = this.#samples - (before === undefined ? 0 : sampleCount(before)) + sampleCount(group);
    if (total > MAX_PUSHED_SAMPLES) return err({ kind: 'inconsistent', reason: `more than ${MAX_PUSHED_SAMPLES} samples in all groups` });
    const refused = await this.#write(group, before, nowMs);
    if (refused !== undefined) return err({ kind: 'inconsistent', reason: refused });
    await saveGroup(this.#deps.sql, group);
    this.#put(group);
    const described = metadataWithin(this.#deps.metadata, scope);
    for (const [family, { metadata }] of read.value) described.record(family, metadata, 'pushgateway');
    return ok(undefined);
  }

  /** Writes the samples of `group` and ends the series that only `before` had. Says what the store refused. */
  async #write(group: PushGroup | undefined, before: PushGroup | undefined, nowMs: number): Promise<string | undefined> {
    const builder = createBatchBuilder();
    const present = new Set<string>();
    for (const sample of group === undefined ? [] : samplesOf(group)) {
      present.add(labelsKey(sample.labels));
      add(builder, sample, nowMs);
    }
    for (const { labels } of before === undefined ? [] : samplesOf(before))
      if (!present.has(labelsKey(labels))) builder.addStale(labels, nowMs);
    if (builder.seriesCount === 0) return undefined;
    const { refused, refusedCount } = await this.#deps.ingest.append(builder.batch());
    const [first] = refused;
    return first === undefined ? undefined : `${refusedCount} samples were refused, the first: ${first.labels}: ${first.detail}`;
  }

  #put(group: PushGroup): void {
    const key = keyOf(group.grouping);
    this.#drop(key);
    this.#groups.set(key, group);
    this.#samples += sampleCount(group);
    for (const { samples } of group.families.values()) for (const { labels } of samples) this.#owners.set(labelsKey(labels), key);
  }

  #drop(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    this.#groups.delete(key);
    this.#samples -= sampleCount(group);
    for (const { samples } of group.families.values()) for (const { labels } of samples) this.#owners.delete(labelsKey(labels));
  }

  /** Two pushes within a millisecond are two samples. */
  #nextMs(nowMs: number): number {
    this.#writtenMs = Math.max(nowMs, this.#writtenMs + 1);
    return this.#writtenMs;
  }
}

function add(builder: BatchBuilder, { labels, value, histogram }: PushedSample, atMs: number): void {
  if (histogram === undefined) builder.add(labels, atMs, value);
  else builder.addHistogram(labels, atMs, histogram);
}
