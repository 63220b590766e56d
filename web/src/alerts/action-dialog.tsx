import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { AlertView } from '../api/wire.ts';
import { instantOf, localTime } from '../figures/local-time.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import type { Asked, Asking } from './action-buttons.tsx';
import { draftForAlerts } from './silence-draft.ts';
import { SilenceForm } from './silence-form.tsx';
import { EscalateOne } from './standing.tsx';
import type { AlertAction } from './undo.ts';

type Props = {
  readonly asked: Asked | null;
  readonly me: string;
  readonly onAct: (action: AlertAction) => void;
  readonly onClose: () => void;
};

function titleOf(asking: Asking, alerts: string): string {
  switch (asking) {
    case 'snooze':
      return t('Snooze {alerts}', { alerts });
    case 'assign':
      return t('Assign {alerts}', { alerts });
    case 'comment':
      return t('Comment {alerts}', { alerts });
    case 'silence':
      return t('Silence what matches');
    case 'resolve':
      return t('Resolve {alerts}', { alerts });
    case 'escalate':
      return t('Escalate {alerts}', { alerts });
  }
}

/** Asks what an action needs beside its alerts. */
export function ActionDialog({ asked, me, onAct, onClose }: Props) {
  const asking = asked?.asking ?? null;
  const alerts = asked?.alerts ?? [];
  const count = t('{count, plural, one {# alert} other {# alerts}}', { count: alerts.length });
  return (
    <Modal
      opened={asking !== null}
      onClose={onClose}
      size={asking === 'silence' ? 'lg' : 'md'}
      title={asking === null ? '' : titleOf(asking, count)}
      closeButtonProps={{ 'aria-label': t('Close') }}
    >
      {asking === 'snooze' ? <Snooze onAct={onAct} /> : null}
      {asking === 'assign' ? <Assign me={me} onAct={onAct} /> : null}
      {asking === 'comment' ? <Comment onAct={onAct} /> : null}
      {asking === 'silence' ? <SilenceForm draft={draftForAlerts(alerts, Date.now())} onDone={onClose} /> : null}
      {asking === 'escalate' ? <Escalate alerts={alerts} count={count} onAct={onAct} /> : null}
      {asking === 'resolve' ? <Resolve count={count} onAct={onAct} /> : null}
    </Modal>
  );
}

type Asks = { readonly onAct: (action: AlertAction) => void };

const LENGTHS = [
  ['30m', t('30 minutes')],
  ['1h', t('1 hour')],
  ['4h', t('4 hours')],
  ['24h', t('1 day')],
] as const;

function Snooze({ onAct }: Asks) {
  const now = useNow();
  const [until, setUntil] = useState(() => localTime(now + 8 * 3_600_000, 'minute'));
  const atMs = instantOf(until);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (atMs !== undefined) onAct({ name: 'snooze', until: new Date(atMs).toISOString() });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <p className="soft">{t('Nobody is told until then; what is acknowledged, resolved or escalated still is.')}</p>
      <div className="row-wrap">
        {LENGTHS.map(([length, words], index) => (
          <Button
            key={length}
            variant="default"
            onClick={() => onAct({ name: 'snooze', for: length })}
            {...(index === 1 ? { 'data-autofocus': true } : {})}
          >
            {words}
          </Button>
        ))}
        <Button variant="default" onClick={() => onAct({ name: 'snooze', until: 'resolved' })}>
          {t('Until resolved')}
        </Button>
      </div>
      <TextInput label={t('Or until')} type="datetime-local" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
      <Button type="submit" disabled={atMs === undefined || atMs <= now}>
        {t('Snooze until then')}
      </Button>
    </form>
  );
}

function Assign({ me, onAct }: Asks & { readonly me: string }) {
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') onAct({ name: 'assign', assignee: name.trim() });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('To whom')}
        data-autofocus
        maxLength={200}
        placeholder={me}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <div className="row-wrap">
        <Button type="submit" disabled={name.trim() === ''}>
          {t('Assign')}
        </Button>
        <Button variant="default" onClick={() => onAct({ name: 'assign', assignee: null })}>
          {t('To nobody')}
        </Button>
      </div>
    </form>
  );
}

function Comment({ onAct }: Asks) {
  const [comment, setComment] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAct({ name: 'comment', comment });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <Textarea
        label={t('Comment')}
        data-autofocus
        autosize
        minRows={3}
        maxLength={4_000}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Button type="submit" disabled={comment.trim() === ''}>
        {t('Add the comment')}
      </Button>
    </form>
  );
}

function Escalate({ alerts, count, onAct }: Asks & { readonly alerts: readonly AlertView[]; readonly count: string }) {
  const [alert] = alerts;
  if (alert !== undefined && alerts.length === 1) return <EscalateOne alert={alert} onAct={onAct} />;
  return (
    <div className="drawer-body">
      <p>
        {t('The next level of each alert’s policy is told now. What is sent cannot be taken back; alerts that no policy took are refused.')}
      </p>
      <Button data-autofocus onClick={() => onAct({ name: 'escalate' })}>
        {t('Escalate {alerts}', { alerts: count })}
      </Button>
    </div>
  );
}

function Resolve({ count, onAct }: Asks & { readonly count: string }) {
  return (
    <div className="drawer-body">
      <p>
        {t(
          'This cannot be undone. While its condition holds, an alert comes back as a new one at the next evaluation; to have it quiet, snooze or silence it.',
        )}
      </p>
      <Button data-autofocus onClick={() => onAct({ name: 'resolve' })}>
        {t('Resolve {alerts}', { alerts: count })}
      </Button>
    </div>
  );
}
