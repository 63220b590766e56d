import { useQuery } from '@tanstack/react-query';
import { samplesOptions } from '../api/queries.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { quantityText } from '../figures/quantity.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { attemptsOf } from './attempts.ts';

/** On both sides of the instant. */
const REACH_MS = 60_000;

/** The attempt in question stands in the middle of those around it. */
const intoView = (row: HTMLTableRowElement | null): void => row?.scrollIntoView({ block: 'center' });

/** The attempts of a check around an instant, as their samples say them: what a verdict rests on. */
export function RawSamples({ check, atMs }: { readonly check: string; readonly atMs: number }) {
  const name = JSON.stringify(check);
  const query = useQuery(
    samplesOptions({
      expr: `{__name__=~"probe_success|probe_degraded|probe_duration_seconds|probe_http_status_code|probe_http_duration_seconds",check=${name}}`,
      fromMs: atMs - REACH_MS,
      toMs: atMs + REACH_MS,
    }),
  );
  if (query.isError) return <ErrorNotice error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined) return <p className="loading">{t('Reading the samples …')}</p>;
  const attempts = attemptsOf(query.data);
  if (attempts.length === 0) {
    return (
      <p className="soft">{t('The samples of this time are not kept any more, or there were none; what the ledger kept of it stands.')}</p>
    );
  }
  return (
    <div className="table-scroll" role="region" aria-label={t('Attempts around the instant')} tabIndex={0}>
      <table className="table">
        <caption className="sr-only">{t('Attempts of {check} around {atMs}', { check, atMs: preciseInstant(atMs) })}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Begun at')}</th>
            <th scope="col">{t('Outcome')}</th>
            <th scope="col" className="numeric">
              {t('Took')}
            </th>
            <th scope="col">{t('Status and phases')}</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt) => (
            <tr
              key={`${String(attempt.atMs)} ${attempt.location}`}
              ref={attempt.atMs === atMs ? intoView : undefined}
              className={attempt.atMs === atMs ? 'chosen' : undefined}
              aria-current={attempt.atMs === atMs}
            >
              <td className="nowrap">{preciseInstant(attempt.atMs)}</td>
              <td>
                <StateMark state={attempt.state} />
              </td>
              <td className="numeric">{attempt.seconds === null ? '–' : quantityText(attempt.seconds, 'seconds')}</td>
              <td className="faint">{[attempt.location, attempt.words].filter((word) => word !== '').join(': ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
