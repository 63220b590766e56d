import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { z } from 'zod';
import type { Bus } from '../platform/bus.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import type { RunProgram } from '../platform/programs.ts';
import type { Channel } from './contract.ts';
import type { RateLimit } from './pacing.ts';
import type { PushBook } from './webpush/subscriptions.ts';

/** What a channel may use of the world. */
export type ChannelDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly request: Outbound['request'];
  /** For protocols that are not HTTP. */
  readonly connect: Outbound['connect'];
  /** Runs programs of the configuration file. */
  readonly run: RunProgram;
  /** Where the console channel writes. */
  readonly write: (text: string) => void;
  /** Tells the pages that are open in browsers. */
  readonly bus: Pick<Bus, 'publish'>;
  /** The browsers that asked for messages. */
  readonly push: PushBook;
  /** The product's own address, without a trailing slash. */
  readonly externalUrl: string;
};

/** A kind of channel: its part of the configuration file, and how it is opened. `target` says where it leads, never a secret. */
export type ChannelKind<Schema extends z.ZodType> = {
  readonly schema: Schema;
  readonly open: (config: z.output<Schema>, deps: ChannelDeps) => Channel;
  readonly target: (config: z.output<Schema>) => string;
  /**
   * Fields that are no secrets by their schema and may carry one: addresses, by their path. Of a
   * `hook` only the server is shown, because its path often opens it, and it is sealed in the database; the `base` of an interface is
   * sealed when it holds an account, a query or a long segment, and shown without those.
   */
  readonly sealed?: Readonly<Record<string, 'hook' | 'base'>>;
  /** Absent: it can be made on the screen as well. Otherwise why it stands in the configuration file alone. */
  readonly onlyInFile?: string;
  /** What the provider takes, unless the configuration says otherwise; absent is no limit. */
  readonly rateLimit?: RateLimit;
  /** The address of one recipient, in place of the channel's own; absent where a kind takes none. */
  readonly recipient?: z.ZodType<string>;
};

export const channelKind = <Schema extends z.ZodType>(kind: ChannelKind<Schema>): ChannelKind<Schema> => kind;
