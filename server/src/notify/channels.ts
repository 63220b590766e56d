import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { ChannelConfig, ChannelsConfig } from './config.ts';
import { createConsole } from './console/console.ts';
import type { Channel, Mailer } from './contract.ts';
import { createEmail } from './email/email.ts';
import { createMailer } from './email/mailer.ts';
import { createLog } from './log/log.ts';
import { type HttpRequest, createPostMailer, createWebhook } from './webhook/webhook.ts';

export type ChannelDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly request: HttpRequest;
  /** Where the console channel writes. */
  readonly write: (text: string) => void;
};

export type OpenChannel = { readonly config: ChannelConfig; readonly channel: Channel };

/** Every declared channel by its id. */
export const openChannels = (configs: ChannelsConfig, deps: ChannelDeps): ReadonlyMap<string, OpenChannel> =>
  new Map(configs.map((config) => [config.id, { config, channel: openChannel(config, deps) }]));

function openChannel(config: ChannelConfig, deps: ChannelDeps): Channel {
  switch (config.kind) {
    case 'webhook':
      return createWebhook({ config, request: deps.request, clock: deps.clock });
    case 'email':
      return createEmail(config);
    case 'log':
      return createLog(deps.logger);
    case 'console':
      return createConsole(deps.write);
  }
}

/** The mailer of each channel of kind `email`, by its id; with `deps` those of kind `webhook` too, which post what others mail. */
export const openMailers = (configs: ChannelsConfig, deps?: Pick<ChannelDeps, 'request' | 'clock'>): ReadonlyMap<string, Mailer> =>
  new Map(
    configs.flatMap((config): readonly (readonly [string, Mailer])[] => {
      if (config.kind === 'email') return [[config.id, createMailer(config)]];
      return config.kind === 'webhook' && deps !== undefined ? [[config.id, createPostMailer({ config, ...deps })]] : [];
    }),
  );

/** What may be shown of a channel: where it leads, never a secret. */
export function describeChannel(config: ChannelConfig): { readonly id: string; readonly kind: string; readonly target: string } {
  switch (config.kind) {
    case 'webhook':
      return { id: config.id, kind: config.kind, target: new URL(config.url).origin };
    case 'email':
      return { id: config.id, kind: config.kind, target: config.to.join(', ') };
    case 'log':
      return { id: config.id, kind: config.kind, target: 'the log' };
    case 'console':
      return { id: config.id, kind: config.kind, target: 'the terminal' };
  }
}
