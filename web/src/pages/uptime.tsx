import type { DowntimeView, UptimeView } from '../api/wire.ts';
import { ProvenDigits } from '../components/proven-digits.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { uptimeBounds } from '../figures/uptime-bounds.ts';
import { t } from '../language/t.ts';

/** The answer lists this many outages; when there are more, the bounds of the rest are not at hand. */
const LISTED_DOWNTIMES = 50;

function boundsOf(window: UptimeView, downtimes: readonly DowntimeView[]) {
  const oldest = downtimes[downtimes.length - 1];
  const cut = downtimes.length >= LISTED_DOWNTIMES && oldest !== undefined && oldest.from_at_ms > window.from_at_ms;
  return cut ? null : uptimeBounds(window, downtimes);
}

/** Uptime by window, time-weighted over what was counted; what is unknown is said, not guessed. */
export function Uptime({ uptime, downtimes }: { readonly uptime: readonly UptimeView[]; readonly downtimes: readonly DowntimeView[] }) {
  return (
    <dl className="panel uptime">
      {uptime.map((window) => (
        <div key={window.window_ms}>
          <dt className="label">{t('Last {length}', { length: windowText(window.window_ms) })}</dt>
          <dd>
            <ProvenDigits attained={window.ratio} bounds={boundsOf(window, downtimes)} size="large" />
          </dd>
          <dd className="label">
            {window.buckets.down_ms === 0 ? t('no downtime') : t('down {length}', { length: lengthText(window.buckets.down_ms) })}
          </dd>
          <dd className="label">
            {window.buckets.unknown_ms === 0
              ? t('nothing unknown')
              : t('unknown {length}', { length: lengthText(window.buckets.unknown_ms) })}
          </dd>
        </div>
      ))}
    </dl>
  );
}
