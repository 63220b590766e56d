import type { ResultView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { exactInstant } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { PHASES, millis } from '../pages/checks-table.tsx';

type Props = { readonly check: string; readonly result: ResultView };

/** What one attempt saw: how long each phase took, who was asked, what was answered with its headers, the certificate, and the beginning of the answer. */
export function Evidence({ check, result }: Props) {
  const { code, address, headers, status_code: status, certificate_expires_at_ms: expiresAtMs, location, loop_delay_ms: delayMs } = result;
  return (
    <>
      <dl className="facts">
        {PHASES.flatMap((phase) => {
          const length = result.phases_ms[phase];
          return length === undefined ? [] : [<Fact key={phase} name={phase} value={millis(length)} />];
        })}
        {status === null ? null : <Fact name={t('status')} value={String(status)} />}
        {code === null ? null : <Fact name={t('code')} value={code} />}
        {address === null ? null : <Fact name={t('asked at')} value={address} />}
        {location === null ? null : <Fact name={t('asked from')} value={location} />}
        {expiresAtMs === null ? null : <Fact name={t('certificate ends')} value={exactInstant(expiresAtMs, expiresAtMs)} />}
        {delayMs < LATE_MS ? null : <Fact name={t('started late by')} value={millis(delayMs)} />}
        {result.steps.map(({ name, duration_ms: length }, index) => (
          <Fact key={`${String(index)} ${name}`} name={`${String(index + 1)} ${name}`} value={millis(length)} />
        ))}
      </dl>
      {result.screenshot ? (
        <img
          className="evidence-picture"
          src={`/api/checks/${encodeURIComponent(check)}/screenshot?at=${String(result.at_ms)}`}
          alt={t('What the browser saw')}
        />
      ) : null}
      {headers.length === 0 ? null : (
        <details>
          <summary>{t('{count, plural, one {# header of the answer} other {# headers of the answer}}', { count: headers.length })}</summary>
          <dl className="answer-headers mono" aria-label={t('Headers of the answer')}>
            {headers.map(({ name, value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {result.excerpt === null || result.excerpt === '' ? null : (
        <div className="command">
          <pre>{result.excerpt}</pre>
        </div>
      )}
      <p className="faint">
        <Instant atMs={result.at_ms} />
      </p>
    </>
  );
}

/** Below this a late start says nothing about the attempt. */
const LATE_MS = 50;

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
