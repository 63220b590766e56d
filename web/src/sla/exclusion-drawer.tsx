import { Button, Drawer, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ExclusionAction, useDecideExclusion } from '../api/sla-actions.ts';
import type { ExclusionView, SlaView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useCan, useSession } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';
import { exclusionStateText, trailOf } from './exclusion-words.ts';
import { Impact } from './impact.tsx';

type Props = {
  readonly sla: SlaView;
  readonly exclusion: ExclusionView | undefined;
  /** The address names one that is not there. */
  readonly missing: boolean;
  readonly onClose: () => void;
};

/** One exclusion whole: what it is about, what it changes, who did what, and what can be decided now. */
export function ExclusionDrawer({ sla, exclusion, missing, onClose }: Props) {
  return (
    <Drawer
      opened={exclusion !== undefined || missing}
      onClose={onClose}
      title={t('Exclusion')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close the exclusion') }}
    >
      {exclusion === undefined ? <p>{t('This SLA has no such exclusion.')}</p> : <Details sla={sla} exclusion={exclusion} />}
    </Drawer>
  );
}

const MARGIN_MS = 60_000;

function Details({ sla, exclusion }: { readonly sla: SlaView; readonly exclusion: ExclusionView }) {
  const { from_at_ms: fromMs, to_at_ms: toMs } = exclusion;
  return (
    <div className="drawer-body">
      <div>
        <h2>{phrase(exclusion.reason)}</h2>
        <p>
          <span className="severity">{exclusionStateText(exclusion.state)}</span>
        </p>
        <p>
          {`${t('{from} to {to}, {length}.', { from: preciseInstant(fromMs), to: preciseInstant(toMs), length: lengthText(toMs - fromMs) })} `}
          <Link to="/slas/$id" params={{ id: sla.id }} search={{ from: fromMs - MARGIN_MS, to: toMs + MARGIN_MS, at: fromMs }}>
            {t('See this time')}
          </Link>
        </p>
        {exclusion.note === '' ? null : <p className="wrap">{exclusion.note}</p>}
        <ObjectMenu kind="slas/exclusions" id={`${sla.id}/${exclusion.id}`} />
      </div>
      {exclusion.state === 'requested' ? <Impact sla={sla} fromMs={fromMs} toMs={toMs} /> : null}
      <Decide key={exclusion.state} sla={sla} exclusion={exclusion} />
      <section className="section">
        <h3>{t('Who did what')}</h3>
        <ol className="steps">
          {trailOf(exclusion).map((step) => (
            <li key={`${step.what} ${step.atMs}`}>
              <Instant atMs={step.atMs} relative={false} />
              <span className="wrap">
                {t('{what} by {name}', { what: step.what, name: step.by })}
                {step.note === '' ? null : <span className="soft">{`: ${step.note}`}</span>}
              </span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

const WORDS: Readonly<Record<ExclusionAction, string>> = {
  approve: t('Approve'),
  reject: t('Reject'),
  withdraw: t('Withdraw'),
  revoke: t('Revoke'),
};

/** What may be decided now, by this person; why not, where the one who asked may not approve. */
function Decide({ sla, exclusion }: { readonly sla: SlaView; readonly exclusion: ExclusionView }) {
  const { actor } = useSession();
  const mayAct = useCan('operate', 'slas');
  const [note, setNote] = useState('');
  const decide = useDecideExclusion(sla.id, exclusion.id);
  const isOwn = actor.name === exclusion.requested_by;
  const needsTwo = isOwn && sla.terms?.credits !== undefined;
  const actions = actionsOf(exclusion, { isOwn, needsTwo });
  if (!mayAct || actions.length === 0) return null;
  return (
    <section className="section">
      <h3>{t('Decide')}</h3>
      {exclusion.state === 'requested' && needsTwo ? (
        <p className="soft">{t('Credits hang on this contract and you asked for this exclusion: somebody else approves it.')}</p>
      ) : null}
      <Textarea
        label={t('Note')}
        autosize
        minRows={1}
        maxLength={4_000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className="row-wrap">
        {actions.map((action, place) => (
          <Button
            key={action}
            variant={place === 0 && action === 'approve' ? 'filled' : 'default'}
            loading={decide.isPending && decide.variables.action === action}
            onClick={() => decide.mutate({ action, note })}
          >
            {WORDS[action]}
          </Button>
        ))}
      </div>
      {decide.isError ? <RefusedNotice error={decide.error} /> : null}
    </section>
  );
}

function actionsOf({ state }: ExclusionView, by: { readonly isOwn: boolean; readonly needsTwo: boolean }): readonly ExclusionAction[] {
  if (state === 'approved') return ['revoke'];
  if (state !== 'requested') return [];
  return [...(by.needsTwo ? [] : (['approve'] as const)), ...(by.isOwn ? (['withdraw'] as const) : (['reject'] as const))];
}
