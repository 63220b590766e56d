import { Button, Drawer, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useAlertAction } from '../api/actions.ts';
import { alertQuery } from '../api/queries.ts';
import type { AlertDetailWire, NotificationView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { useMay } from '../shell/session.tsx';
import { SeverityMark } from '../states/state-mark.tsx';
import { phrase } from '../states/words.ts';
import { AlertStateMark } from './alert-state.tsx';
import { textOfLabels } from './label-text.ts';
import { alertTitle } from './sentences.ts';

/** One alert whole: what it says, what happened to it, whom it was sent to. Closed when `id` is undefined. */
export function AlertDrawer({ id, onClose }: { readonly id: string | undefined; readonly onClose: () => void }) {
  return (
    <Drawer opened={id !== undefined} onClose={onClose} title="Alert" closeButtonProps={{ 'aria-label': 'Close the alert' }}>
      {id === undefined ? null : <Body id={id} />}
    </Drawer>
  );
}

function Body({ id }: { readonly id: string }) {
  const alert = useQuery(alertQuery(id));
  if (alert.data === undefined) return <Waiting query={alert} what="the alert" />;
  return <Details alert={alert.data} />;
}

function Details({ alert }: { readonly alert: AlertDetailWire }) {
  const mayAct = useMay('operate');
  const { description, runbook_url: runbook } = alert.annotations;
  return (
    <div className="drawer-body">
      <div>
        <h2>{alertTitle(alert)}</h2>
        <div className="alert-meta">
          <SeverityMark severity={alert.severity} />
          <AlertStateMark alert={alert} />
          <Instant atMs={alert.starts_at_ms} />
        </div>
      </div>
      {alert.kept_by === null ? null : <p className="soft">{`Told to nobody: ${alert.kept_by}.`}</p>}
      {description === undefined ? null : <p>{description}</p>}
      {runbook !== undefined && /^https?:\/\//.test(runbook) ? (
        <a href={runbook} target="_blank" rel="noreferrer">
          Open the runbook
        </a>
      ) : null}
      {mayAct ? <Actions alert={alert} /> : null}
      <Steps alert={alert} />
      <Deliveries alert={alert} />
      <section className="section">
        <h3>Labels</h3>
        <ul className="labels">
          {Object.entries(alert.labels).map(([name, value]) => (
            <li key={name}>{`${name}="${value}"`}</li>
          ))}
        </ul>
        <p className="faint mono">{`${alert.rule} · ${alert.fingerprint}`}</p>
      </section>
    </div>
  );
}

function Actions({ alert }: { readonly alert: AlertDetailWire }) {
  const action = useAlertAction();
  const [comment, setComment] = useState('');
  const ids = [alert.id];
  const open = alert.state !== 'resolved';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    action.mutate({ name: 'comment', ids, comment }, { onSuccess: () => setComment('') });
  };
  return (
    <div className="section">
      {open ? (
        <div className="row-wrap">
          {alert.state === 'firing' ? (
            <Button
              onClick={() => action.mutate({ name: 'acknowledge', ids })}
              loading={action.isPending && action.variables.name === 'acknowledge'}
            >
              Acknowledge
            </Button>
          ) : null}
          <Button variant="default" onClick={() => action.mutate({ name: 'snooze', ids, for: '1h' })}>
            Snooze for 1 h
          </Button>
          <Button variant="default" onClick={() => action.mutate({ name: 'resolve', ids })}>
            Resolve
          </Button>
        </div>
      ) : null}
      <form className="inline-form" onSubmit={submit}>
        <TextInput
          aria-label="Comment"
          placeholder="Comment"
          required
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          Add the comment
        </Button>
      </form>
      {action.isError ? <ErrorNotice error={action.error} /> : null}
    </div>
  );
}

function Steps({ alert }: { readonly alert: AlertDetailWire }) {
  return (
    <section className="section">
      <h3>What happened</h3>
      <ol className="steps">
        {alert.transitions.map((step) => (
          <li key={`${step.at_ms}-${step.kind}-${step.reason}`}>
            <time className="faint" dateTime={new Date(step.at_ms).toISOString()}>
              {preciseInstant(step.at_ms).slice(-12)}
            </time>
            <span>
              <b>{phrase(step.kind)}</b>
              {step.reason === '' ? '' : `: ${step.reason}`}
              {step.actor === '' || step.actor === 'system' ? null : <span className="faint">{` (${step.actor})`}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Deliveries({ alert }: { readonly alert: AlertDetailWire }) {
  return (
    <section className="section">
      <h3>Who was told</h3>
      {alert.deliveries.length === 0 ? <p className="faint">Nobody: no channel is routed for this alert.</p> : null}
      <Link to="/routes" search={{ labels: textOfLabels(alert.labels) }}>
        Where it goes, and why
      </Link>
      <ol className="steps">
        {alert.deliveries.map((delivery) => (
          <li key={delivery.id}>
            <time className="faint" dateTime={new Date(delivery.created_at_ms).toISOString()}>
              {preciseInstant(delivery.created_at_ms).slice(-12)}
            </time>
            <span>
              <b>{delivery.channel === '' ? 'Nobody' : delivery.channel}</b>
              {`, ${delivery.reason}: ${delivery.status}`}
              <span className="faint">{deliveryDetail(delivery)}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function deliveryDetail({ status, cause, attempts, last_error: error, receipt }: NotificationView): string {
  if (status === 'delivered')
    return `${receipt === null || receipt === '' ? '' : ` (${receipt})`}${attempts > 1 ? ` at try ${attempts}` : ''}`;
  if (status === 'suppressed') return cause === '' ? '' : ` (${cause})`;
  return error === null ? '' : ` after ${attempts} ${attempts === 1 ? 'try' : 'tries'}: ${error}`;
}
