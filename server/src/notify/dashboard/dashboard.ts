import { z } from 'zod';
import { type BriefLimits, briefOf } from '../brief.ts';
import type { Channel } from '../contract.ts';
import { common } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

export const dashboardKind = channelKind({
  schema: z.strictObject({ ...common, kind: z.literal('dashboard') }),
  open: (_config, deps) => createDashboard(deps),
  target: () => 'the pages that are open',
  rateLimit: { messages: 60, perMs: 60_000 },
});

/** What fits a notice on a page; the alert itself is one click away. */
const LIMITS: BriefLimits = { titleChars: 200, alerts: 5, sentenceChars: 300, facts: 0, factChars: 0, textChars: 1_000 };

/** Shows a notice at once on every page that is open (`notification.shown` of the live stream). */
export function createDashboard({ bus, clock }: Pick<ChannelDeps, 'bus' | 'clock'>): Channel {
  return {
    takesAcknowledgements: true,
    async deliver(attempt) {
      const { title, status, severity, text, alerts, more } = briefOf(attempt, LIMITS);
      const lines =
        text === undefined
          ? alerts.map(({ sentence, url }) => ({ sentence, url }))
          : [{ sentence: text, url: attempt.message.externalURL }];
      const data = {
        id: attempt.idempotencyKey,
        channel: attempt.message.receiver,
        reason: attempt.reason,
        title,
        status,
        severity,
        lines,
        more,
      };
      bus.publish({ topic: 'notifications', type: 'notification.shown', atMs: clock.now(), data });
      return { kind: 'delivered', receipt: attempt.idempotencyKey };
    },
  };
}
