import type { AlertView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { phrase } from '../states/words.ts';

/** The state of an alert as a word; what fires and waits for someone is the only thing on the page that pulses. */
export function AlertStateMark({ alert }: { readonly alert: Pick<AlertView, 'state' | 'acknowledged_by'> }) {
  const waits = alert.state === 'firing';
  const by =
    alert.state === 'acknowledged' && alert.acknowledged_by !== null && alert.acknowledged_by !== ''
      ? ` ${t('by {name}', { name: alert.acknowledged_by })}`
      : '';
  return (
    <span className="mark">
      {waits ? (
        <svg className="pulse" width="8" height="8" aria-hidden="true">
          <rect width="8" height="8" fill="var(--down)" />
        </svg>
      ) : null}
      <span className={waits ? '' : 'soft'}>{`${phrase(alert.state)}${by}`}</span>
    </span>
  );
}
