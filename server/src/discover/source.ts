import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import type { TargetGroup } from './contract.ts';

/** What a running source tells. */
export type Sink = {
  /** Everything that is there now. `fault` says which part of it is only what was known before. */
  groups(groups: readonly TargetGroup[], fault?: string): void;
  /** An attempt that told nothing new. */
  failed(reason: string): void;
};
export type SourceDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbound: Outbound;
  /** `host:port` of the name servers; those of the system when absent. */
  readonly dnsServers?: readonly string[];
  /** Variables of the process and the folder of its service account, which tell where its cluster is; the real ones when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly serviceAccount?: string;
};
