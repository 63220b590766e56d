import { Button, Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePauseCheck } from '../api/actions.ts';
import { checkQuery } from '../api/queries.ts';
import type { CheckDetailView, ResultView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { RawSamples } from '../sla/raw-samples.tsx';
import { Locked } from '../components/locked.tsx';
import { useCan } from '../shell/session.tsx';
import { StateMark, StateShape } from '../states/state-mark.tsx';
import { fromServer } from '../language/server-text.ts';
import { rich, t } from '../language/t.ts';
import { STATE_WORDS, steadiness } from '../states/words.ts';
import { DurationCharts } from '../checks/duration-charts.tsx';
import { Evidence } from '../checks/evidence.tsx';
import { RunNow } from '../checks/run-now.tsx';
import { CheckRecovery } from './check-recovery.tsx';
import { Phases, millis, resultText } from './checks-table.tsx';

type DrawerProps = {
  readonly id: string | undefined;
  /** An instant whose results are wanted besides the latest. */
  readonly at?: number | undefined;
  readonly onClose: () => void;
};

/** One check whole: how it asks, what it saw lately, and the last failure with what was answered. */
export function CheckDrawer({ id, at, onClose }: DrawerProps) {
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      title={t('Check')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close the check') }}
    >
      {id === undefined ? null : <Body id={id} at={at} />}
    </Drawer>
  );
}

function Body({ id, at }: { readonly id: string; readonly at: number | undefined }) {
  const check = useQuery(checkQuery(id));
  return (
    <>
      {at === undefined ? null : (
        <section className="section">
          <h3>{t('Results around {at}', { at: preciseInstant(at) })}</h3>
          <RawSamples check={id} atMs={at} />
        </section>
      )}
      {check.data === undefined ? <Waiting query={check} what={t('the check')} /> : <Details check={check.data} />}
    </>
  );
}

function Details({ check }: { readonly check: CheckDetailView }) {
  return (
    <div className="drawer-body">
      <div>
        <h2>{check.name === '' ? check.id : check.name}</h2>
        <p>
          <StateMark state={check.state} word={steadiness(check.state, check.flapping !== null)} />
        </p>
        {check.flapping === null ? null : <Flapping flapping={check.flapping} />}
        <p className="mono">{check.target}</p>
        <p className="faint">
          {[
            t('{kind}, every {interval}, gives up after {timeout}', {
              kind: check.kind.toUpperCase(),
              interval: lengthText(check.interval_ms),
              timeout: lengthText(check.timeout_ms),
            }),
            check.confirm.of === 1
              ? t('one failure counts')
              : t('{count} failures of {of} count', { count: check.confirm.n, of: check.confirm.of }),
            ...(check.impact === 'degraded' ? [t('only degrades the service')] : []),
          ].join(', ')}
        </p>
        {check.vote === null ? null : (
          <p className="faint">
            {t('Asked from {places}; down when {count} of them say so', {
              places: check.vote.locations.join(', '),
              count: check.vote.quorum,
            })}
          </p>
        )}
        <ObjectMenu kind="checks" id={check.id} />
      </div>
      <WhyDown check={check} />
      <div className="row-wrap">
        <Pause check={check} />
        <RunNow check={check} />
      </div>
      <CheckRecovery check={check.id} />
      {check.last_failure === null ? null : <Failure check={check.id} result={check.last_failure} />}
      <DurationCharts check={check} />
      <section className="section">
        <h3>{t('Latest results')}</h3>
        {check.results.length === 0 ? <p className="faint">{t('None since Nines started.')}</p> : null}
        <ol className="steps">
          {check.results.slice(0, MOST_RESULTS).map((result) => (
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
                  <Evidence check={check.id} result={result} />
                </details>
              )}
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

/** Why it is not up, in one sentence; the evidence is below. */
function WhyDown({ check }: { readonly check: CheckDetailView }) {
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

const MOST_RESULTS = 40;

/** The button that stops the check from asking, for those who may. What the file declares is paused there, and the refusal says where. */
function Pause({ check }: { readonly check: CheckDetailView }) {
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

function Flapping({ flapping }: { readonly flapping: NonNullable<CheckDetailView['flapping']> }) {
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

function Failure({ check, result }: { readonly check: string; readonly result: ResultView }) {
  return (
    <section className="section">
      <h3>{t('Last failure')}</h3>
      <p>{resultText(result)}</p>
      <Evidence check={check} result={result} />
    </section>
  );
}
