import { formatDuration } from '@nines/base/duration.ts';
import { DAY_MS, type EpochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { DEFAULT_COOLDOWN_MS, type Evaluation } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { TOKEN_EXPIRY_RULE_ID } from '../rules/contract.ts';
import type { TokenView } from './contract.ts';

/** Whoever uses a token has this long to take another. */
export const NOTICE_MS = 7 * DAY_MS;
/** A token that nobody used for this long is missed by nobody when it expires. */
const IN_USE_MS = 7 * DAY_MS;

/** The tokens in use whose end is near, as alerting is told of them. */
export function expiryEvaluation(tokens: readonly TokenView[], nowMs: EpochMs): Evaluation {
  const ending = tokens.filter(
    ({ expires_at_ms: ends, last_used_at_ms: used }) =>
      ends !== null && ends > nowMs && ends - nowMs <= NOTICE_MS && used !== null && nowMs - used <= IN_USE_MS,
  );
  return {
    rule: {
      id: TOKEN_EXPIRY_RULE_ID,
      kind: 'rule',
      alertname: 'TokenExpiresSoon',
      severity: 'warning',
      forMs: ms(0),
      keepFiringForMs: ms(0),
      cooldownMs: ms(DEFAULT_COOLDOWN_MS),
      teamId: DEFAULT_TEAM,
    },
    atMs: nowMs,
    found: {
      kind: 'complete',
      active: ending.map(({ id, name, expires_at_ms: ends }) => ({
        labels: labelsOf({ alertname: 'TokenExpiresSoon', severity: 'warning', token: name, token_id: id }),
        annotations: {
          summary: `The API token ${name} expires in ${formatDuration(ms(Math.max(60_000, (ends ?? nowMs) - nowMs)))}`,
          description:
            'It was used within the last week. Replace its secret on the settings page, or make another token, before what uses it is refused.',
        },
        value: ((ends ?? nowMs) - nowMs) / DAY_MS,
        severity: 'warning',
      })),
      holding: [],
      because: 'no token in use expires within a week',
    },
  };
}
