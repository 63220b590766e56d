import type { Logger } from '@nines/base/logger.ts';
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
