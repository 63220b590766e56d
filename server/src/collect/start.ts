import { hostname } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Bus } from '../platform/bus.ts';
import { startLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Aliases } from './aliases.ts';
import { type RunningCollection, startCollection } from './collection.ts';
import type { CollectConfig, Ingest, SampleQuery } from './contract.ts';
import { createHostCollector } from './host/collector.ts';
import { linuxReaders } from './host/linux.ts';
import { portableReaders } from './host/portable.ts';
import type { Metadata } from './metadata-book.ts';
import type { ProcessWatch } from './process-metrics.ts';
import { PushGateway } from './pushgateway/service.ts';
import type { SelfRegistry } from './self.ts';
import { figuresPublisher } from './spectators.ts';
import { startStatsd } from './statsd/service.ts';

export type CollectingDeps = {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly config: CollectConfig;
  readonly ingest: Ingest;
  readonly query: SampleQuery;
  readonly metrics: SelfRegistry;
  readonly metadata: Metadata;
  readonly aliases: Aliases;
  readonly process: ProcessWatch;
  /** This host is collected when `collection.start()` is called. */
  readonly held?: boolean | undefined;
};

export type Collecting = AsyncDisposable & {
  /** The value of the label `instance` of what this host says of itself. */
  readonly instance: string;
  readonly pushGateway: PushGateway;
  /** Of this host and of the product itself. */
  readonly collection: Omit<RunningCollection, keyof AsyncDisposable>;
};

/** Everything that brings samples by itself, from now on: this host, the product, StatsD, and groups that were pushed. */
export async function startCollecting(deps: CollectingDeps): Promise<Collecting> {
  const { clock, logger, config, ingest, metrics, metadata, query, aliases, bus } = deps;
  const instance = config.host.instance ?? hostname();
  const readers = process.platform === 'linux' ? linuxReaders({ proc: '/proc', sys: '/sys', clock }) : portableReaders(clock);
  await using stack = new AsyncDisposableStack();
  const collected = {
    clock,
    logger,
    ingest,
    host: createHostCollector({ clock, logger, readers: config.host.enabled ? readers : [] }),
    self: metrics,
    process: deps.process,
    metadata,
    instance,
    intervalMs: config.host.interval,
    onCollected: figuresPublisher({ query, aliases, instance, bus, logger }),
  };
  const collection = stack.use(startCollection(collected, { held: deps.held ?? false }));
  stack.use(await startStatsd({ clock, logger, ingest, metrics, instance, config: config.statsd }));
  const pushGateway = new PushGateway({ sql: deps.sql, clock, ingest, metadata, metrics });
  await pushGateway.load();
  const everyMs = config.pushgateway.interval;
  stack.use(startLoop({ clock, logger, name: 'pushed groups', everyMs, step: (nowMs) => pushGateway.step(nowMs) }));
  const parts = stack.move();
  return { instance, pushGateway, collection, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
