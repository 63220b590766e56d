import { Button } from '@mantine/core';
import { usePauseCheck } from '../api/actions.ts';
import type { CheckDetailView, ResultView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { Locked } from '../components/locked.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { rich, t } from '../language/t.ts';
import { Phases, kindText, millis, resultText } from '../pages/checks-table.tsx';
import { useCan } from '../shell/session.tsx';
import { StateMark, StateShape } from '../states/state-mark.tsx';
import { STATE_WORDS, steadiness } from '../states/words.ts';
import { Evidence } from './evidence.tsx';

/** Its state, why, and how it asks. */
export function CheckWords({ check }: { readonly check: CheckDetailView }) {
  return (
    <>
      <p>
        <StateMark state={check.state} word={steadiness(check.state, check.flapping !== null)} />
      </p>
      {check.flapping === null ? null : <Flapping flapping={check.flapping} />}
      <p className="mono">{check.target}</p>
      <p className="faint">
        {[
          t('{kind}, every {interval}, gives up after {timeout}', {
            kind: kindText(check.kind),
            interval: lengthText(check.interval_ms),
            timeout: lengthText(check.timeout_ms),
          }),
          confirmText(check),
          ...(check.impact === 'degraded' ? [t('only degrades the service')] : []),
        ].join(', ')}
      </p>
      {check.vote === null ? null : <p className="faint">{voteText(check.vote)}</p>}
    </>
  );
}

export const confirmText = ({ confirm }: CheckDetailView): string =>
  confirm.of === 1 ? t('one failure counts') : t('{count} failures of {of} count', { count: confirm.n, of: confirm.of });

const voteText = ({ locations, quorum }: NonNullable<CheckDetailView['vote']>): string =>
  t('Asked from {places}; down when {count} of them say so', { places: locations.join(', '), count: quorum });

/** Attempts, newest first; each that was not up opens what it saw. */
export function Results({ check, results }: { readonly check: string; readonly results: readonly ResultView[] }) {
  return (
    <ol className="steps">
      {results.map((result) => (
        <li key={`${result.at_ms} ${result.location ?? ''}`}>
          <time className="faint" dateTime={new Date(result.at_ms).toISOString()}>
            {preciseInstant(result.at_ms).slice(-12)}
          </time>
          {result.outcome === 'up' ? (
            <Line result={result} />
          ) : (
            <details>
              <summary>
                <Line result={result} />
              </summary>
              <Evidence check={check} result={result} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

/** Why it is not up, in one sentence; the evidence is below. */
export function WhyDown({ check }: { readonly check: CheckDetailView }) {
  const failed = check.last_failure;
  if ((check.state !== 'down' && check.state !== 'degraded') || failed === null) return null;
  return (
    <p>
      {rich('{state} since {since}: {why}.', {
        state: STATE_WORDS[check.state],
        since: <Instant atMs={check.since_at_ms} />,
        why: resultText(failed),
      })}
    </p>
  );
}

/** The button that stops the check from asking, for those who may. What the file declares is paused there, and the refusal says where. */
export function Pause({ check }: { readonly check: CheckDetailView }) {
  const pause = usePauseCheck(check.id);
  if (!useCan('operate', 'checks')) return <Locked word={check.paused ? t('Resume') : t('Pause')} verb="operate" area="checks" />;
  return (
    <div>
      <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate(check.paused ? 'resume' : 'pause')}>
        {check.paused ? t('Resume') : t('Pause')}
      </Button>
      {check.paused ? <p className="faint">{t('Paused: nothing is asked, and its time is unknown.')}</p> : null}
      {pause.isError ? <RefusedNotice error={pause.error} /> : null}
    </div>
  );
}

export function Flapping({ flapping }: { readonly flapping: NonNullable<CheckDetailView['flapping']> }) {
  return (
    <p>
      {rich(
        'Flapping: {percent} % of its last 21 states were changes, since {since}. Its outages are counted, but nobody is told of them until it is at {leave} %.',
        {
          percent: String(Math.round(flapping.change_percent)),
          since: <Instant atMs={flapping.since_at_ms} />,
          leave: String(flapping.leave_percent),
        },
      )}
    </p>
  );
}

function Line({ result }: { readonly result: ResultView }) {
  return (
    <span className="result">
      <StateShape state={result.outcome === 'void' ? 'unknown' : result.outcome} />
      <span className="result-length">{millis(result.duration_ms)}</span>
      <Phases result={result} />
      <span>
        {result.location === null ? '' : `${result.location}: `}
        {result.outcome === 'void' ? t('not counted: {why}', { why: fromServer(result.detail ?? '') }) : resultText(result)}
      </span>
    </span>
  );
}

export function Failure({ check, result }: { readonly check: string; readonly result: ResultView }) {
  return (
    <section className="section">
      <h3>{t('Last failure')}</h3>
      <p>{resultText(result)}</p>
      <Evidence check={check} result={result} />
    </section>
  );
}
