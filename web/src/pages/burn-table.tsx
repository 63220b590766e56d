import type { SlaView } from '../api/wire.ts';
import { lengthText } from '../figures/length.ts';
import { threeDigits } from '../figures/quantity.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';

type Pair = SlaView['burn'][number];

function verdict({ rate, firing, severity }: Pair) {
  if (rate === null || firing === null) return <span className="faint">{t('waits for a full window')}</span>;
  return firing ? (
    <StateMark state={severity === 'critical' ? 'down' : 'degraded'} word={t('Burning')} />
  ) : (
    <span className="soft">{t('calm')}</span>
  );
}

/** Pairs of windows: an alert fires when both burn faster than the limit. */
export function BurnTable({ burn, isRecovery }: { readonly burn: readonly Pair[]; readonly isRecovery: boolean }) {
  if (burn.length === 0) {
    return (
      <p className="empty empty-quiet">
        {isRecovery
          ? t('A mean time to recovery is judged by outages that ended: it does not burn.')
          : t('The window is too short for burn rates.')}
      </p>
    );
  }
  return (
    <div className="panel">
      <div className="table-scroll" role="region" aria-label={t('Burn rates by pair')} tabIndex={0}>
        <table className="table">
          <caption className="sr-only">{t('Burn rates by pair of windows')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('Long and short window')}</th>
              <th scope="col" className="numeric">
                {t('Rate')}
              </th>
              <th scope="col" className="numeric">
                {t('Limit')}
              </th>
              <th scope="col">{t('Verdict')}</th>
            </tr>
          </thead>
          <tbody>
            {burn.map((pair) => (
              <tr key={`${pair.long_ms}-${pair.short_ms}`}>
                <td>{t('{long} and {short}', { long: lengthText(pair.long_ms), short: lengthText(pair.short_ms) })}</td>
                <td className="numeric">{pair.rate === null ? '–' : `${threeDigits(pair.rate)} ×`}</td>
                <td className="numeric">{`${threeDigits(pair.factor)} ×`}</td>
                <td>{verdict(pair)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
