import type { ChannelConfig, ChannelsConfig } from './config.ts';
import type { Channel, Mailer } from './contract.ts';
import { createMailer } from './email/mailer.ts';
import type { ChannelDeps, ChannelKind } from './kind.ts';
import { KINDS } from './kinds.ts';
import type { RateLimit } from './pacing.ts';
import type { z } from 'zod';
import { createPostMailer } from './webhook/webhook.ts';

export type OpenChannel = { readonly config: ChannelConfig; readonly channel: Channel };

/** The kind of this configuration, whose schema has read it. */
export const kindOf = (config: ChannelConfig): ChannelKind<z.ZodType<unknown>> => KINDS[config.kind] as ChannelKind<z.ZodType>;

/** How many messages the channel takes, by the configuration or by what its provider takes. */
export const rateLimitOf = (config: ChannelConfig): RateLimit | undefined =>
  config.rate_limit === undefined ? kindOf(config).rateLimit : { messages: config.rate_limit.messages, perMs: config.rate_limit.per };

/** Whether messages can go to somebody else than the channel's own recipients. */
export const takesRecipient = (config: ChannelConfig): boolean => kindOf(config).recipient !== undefined;

/** What is wrong with an address for this channel; undefined when it can be reached. */
export function recipientFault(config: ChannelConfig, to: string): string | undefined {
  const { recipient } = kindOf(config);
  if (recipient === undefined) return `a channel of kind ${config.kind} takes no address of its own; leave \`to\` out`;
  return recipient.safeParse(to).error?.issues[0]?.message;
}

/** What is wrong with a way to reach somebody: there is no such channel, or it cannot reach the address. */
export function contactFault(
  configs: ChannelsConfig,
  { channel, to }: { readonly channel: string; readonly to?: string | undefined },
): string | undefined {
  const config = configs.find(({ id }) => id === channel);
  if (config === undefined) return `there is no channel "${channel}"`;
  return to === undefined ? undefined : recipientFault(config, to);
}

export const openChannel = (config: ChannelConfig, deps: ChannelDeps): OpenChannel => ({
  config,
  channel: kindOf(config).open(config, deps),
});

/** Every declared channel by its id. */
export const openChannels = (configs: ChannelsConfig, deps: ChannelDeps): ReadonlyMap<string, OpenChannel> =>
  new Map(configs.map((config) => [config.id, openChannel(config, deps)]));

/** The mailer of each channel of kind `email`, by its id, and those of kind `webhook`, which post what others mail. */
export const openMailers = (
  configs: ChannelsConfig,
  deps: Pick<ChannelDeps, 'request' | 'connect' | 'clock'>,
): ReadonlyMap<string, Mailer> =>
  new Map(
    configs.flatMap((config): readonly (readonly [string, Mailer])[] => {
      if (config.kind === 'email') return [[config.id, createMailer(config, deps)]];
      return config.kind === 'webhook' ? [[config.id, createPostMailer(config, deps)]] : [];
    }),
  );

/** What may be shown of a channel: where it leads, never a secret. */
export const describeChannel = (config: ChannelConfig): { readonly id: string; readonly kind: string; readonly target: string } => ({
  id: config.id,
  kind: config.kind,
  target: kindOf(config).target(config),
});
