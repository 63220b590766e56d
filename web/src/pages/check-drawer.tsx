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
import { steadiness } from '../states/words.ts';
import { CheckRecovery } from './check-recovery.tsx';
import { PHASES, Phases, millis, resultText } from './checks-table.tsx';

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
      title="Check"
      size={at === undefined ? 'md' : 'lg'}
      closeButtonProps={{ 'aria-label': 'Close the check' }}
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
          <h3>{`Results around ${preciseInstant(at)}`}</h3>
          <RawSamples check={id} atMs={at} />
        </section>
      )}
      {check.data === undefined ? <Waiting query={check} what="the check" /> : <Details check={check.data} />}
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
          {`${check.kind.toUpperCase()}, every ${lengthText(check.interval_ms)}, gives up after ${lengthText(check.timeout_ms)}, `}
          {check.confirm.of === 1 ? 'one failure counts' : `${check.confirm.n} failures of ${check.confirm.of} count`}
          {check.impact === 'degraded' ? ', only degrades the service' : ''}
        </p>
        {check.vote === null ? null : (
          <p className="faint">{`Asked from ${check.vote.locations.join(', ')}; down when ${check.vote.quorum} of them say so`}</p>
        )}
        <ObjectMenu kind="checks" id={check.id} />
      </div>
      <Pause check={check} />
      <CheckRecovery check={check.id} />
      {check.last_failure === null ? null : <Failure check={check.id} result={check.last_failure} />}
      <section className="section">
        <h3>Latest results</h3>
        {check.results.length === 0 ? <p className="faint">None since Nines started.</p> : null}
        <ol className="steps">
          {check.results.slice(0, MOST_RESULTS).map((result) => (
            <li key={`${result.at_ms} ${result.location ?? ''}`}>
              <time className="faint" dateTime={new Date(result.at_ms).toISOString()}>
                {preciseInstant(result.at_ms).slice(-12)}
              </time>
              <span className="result">
                <StateShape state={result.outcome === 'void' ? 'unknown' : result.outcome} />
                <span className="result-length">{millis(result.duration_ms)}</span>
                <Phases result={result} />
                <span>
                  {result.location === null ? '' : `${result.location}: `}
                  {result.outcome === 'void' ? `not counted: ${result.detail ?? ''}` : resultText(result)}
                </span>
              </span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

const MOST_RESULTS = 40;

/** The button that stops the check from asking, for those who may. What the file declares is paused there, and the refusal says where. */
function Pause({ check }: { readonly check: CheckDetailView }) {
  const pause = usePauseCheck(check.id);
  if (!useCan('operate', 'checks')) return <Locked word={check.paused ? 'Resume' : 'Pause'} verb="operate" area="checks" />;
  return (
    <div>
      <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate(check.paused ? 'resume' : 'pause')}>
        {check.paused ? 'Resume' : 'Pause'}
      </Button>
      {check.paused ? <p className="faint">Paused: nothing is asked, and its time is unknown.</p> : null}
      {pause.isError ? <RefusedNotice error={pause.error} /> : null}
    </div>
  );
}

function Flapping({ flapping }: { readonly flapping: NonNullable<CheckDetailView['flapping']> }) {
  return (
    <p>
      {`Flapping: ${Math.round(flapping.change_percent)} % of its last 21 states were changes, since `}
      <Instant atMs={flapping.since_at_ms} />
      {`. Its outages are counted, but nobody is told of them until it is at ${flapping.leave_percent} %.`}
    </p>
  );
}

function Failure({ check, result }: { readonly check: string; readonly result: ResultView }) {
  return (
    <section className="section">
      <h3>Last failure</h3>
      <p>
        {resultText(result)}
        <span className="faint">
          {' · '}
          <Instant atMs={result.at_ms} />
        </span>
      </p>
      <dl className="facts">
        {PHASES.flatMap((phase) => {
          const length = result.phases_ms[phase];
          return length === undefined ? [] : [<Fact key={phase} name={phase} value={millis(length)} />];
        })}
        {result.status_code === null ? null : <Fact name="status" value={String(result.status_code)} />}
        {result.steps.map(({ name, duration_ms: length }, index) => (
          <Fact key={`${String(index)} ${name}`} name={`${String(index + 1)} ${name}`} value={millis(length)} />
        ))}
      </dl>
      {result.screenshot ? (
        <img
          className="evidence-picture"
          src={`/api/checks/${encodeURIComponent(check)}/screenshot?at=${String(result.at_ms)}`}
          alt="What the browser saw"
        />
      ) : null}
      {result.excerpt === null || result.excerpt === '' ? null : (
        <div className="command">
          <pre>{result.excerpt}</pre>
        </div>
      )}
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
