import { isFull } from '@nines/model/scope.ts';
import { scopedBatch, scopedOutcome } from '@nines/model/scoped-batch.ts';
import type { Scope } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import type { Ingest } from './contract.ts';
import type { Metadata } from './metadata-book.ts';

/** Where a sender's samples go, and what it says of its metrics. */
export type Sink = { readonly ingest: Ingest; readonly metadata: Pick<Metadata, 'record'> };

/** The way in for whoever has this scope: nothing passes that they could not read again. For those who see everything it is the usual one. */
export function ingestWithin(ingest: Ingest, scope: Scope): Ingest {
  if (isFull(scope)) return ingest;
  const within: Ingest = {
    async append(given) {
      const scoped = scopedBatch(given, scope);
      ingest.refused(scoped.refusedBy);
      return scopedOutcome(given, scoped, scoped.batch.seriesCount === 0 ? undefined : await ingest.append(scoped.batch));
    },
    refused: (counts) => ingest.refused(counts),
    appendSamples(list) {
      const builder = createBatchBuilder();
      for (const { labels, atMs, value } of list) builder.add(labels, atMs, value);
      return within.append(builder.batch());
    },
  };
  return within;
}

/** Names of metrics belong to all: who has a scope describes those that nobody has described, and leaves the others as they are. */
export function metadataWithin(metadata: Pick<Metadata, 'record' | 'get'>, scope: Scope): Pick<Metadata, 'record'> {
  if (isFull(scope)) return metadata;
  return {
    record(family, described, source) {
      if (metadata.get(family) === undefined) metadata.record(family, described, source);
    },
  };
}
