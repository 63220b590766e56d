import type { Logger } from '@nines/base/logger.ts';
import { z } from 'zod';
import { common } from '../fields.ts';
import { channelKind } from '../kind.ts';
import type { Channel } from '../contract.ts';
import { subjectOf } from '../text.ts';

/** One structured line per message in the product's own log. */
export function createLog(logger: Logger): Channel {
  return {
    async deliver({ message, idempotencyKey }) {
      logger.warn(subjectOf(message), { group_key: message.groupKey, status: message.status, alerts: message.alerts });
      return { kind: 'delivered', receipt: idempotencyKey };
    },
  };
}

export const logKind = channelKind({
  schema: z.strictObject({ ...common, kind: z.literal('log') }),
  open: (_config, { logger }) => createLog(logger),
  target: () => 'the log',
});
