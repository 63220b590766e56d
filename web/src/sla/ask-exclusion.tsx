import { Button, Modal, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAskExclusion } from '../api/sla-actions.ts';
import type { SlaView } from '../api/wire.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { timeZone } from '../figures/instant.ts';
import { instantOf, localTime } from '../figures/local-time.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { phrase } from '../states/words.ts';
import { EXCLUSION_REASONS } from './exclusion-words.ts';
import { Impact } from './impact.tsx';

const HOUR_MS = 3_600_000;
type Span = { readonly fromMs: number; readonly toMs: number };
type Props = {
  readonly sla: SlaView;
  readonly opened: boolean;
  /** The time that is asked about, where the address names it. */
  readonly span: Span | undefined;
  /** `made`: the id of what was asked for. */
  readonly onClose: (made?: string) => void;
};

/** Asks for time to be taken out, and shows what that would change. */
export function AskExclusion({ sla, opened, span, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={() => onClose()}
      title={t('Ask for an exclusion')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close without asking') }}
    >
      <Form sla={sla} span={span} onMade={onClose} />
    </Modal>
  );
}

function Form({ sla, span, onMade }: { readonly sla: SlaView; readonly span: Span | undefined; readonly onMade: (id: string) => void }) {
  const now = useNowStep(HOUR_MS);
  const [from, setFrom] = useState(localTime(span?.fromMs ?? now - HOUR_MS));
  const [to, setTo] = useState(localTime(span?.toMs ?? now));
  const [reason, setReason] = useState<string>(EXCLUSION_REASONS[0] ?? 'other');
  const [note, setNote] = useState('');
  const ask = useAskExclusion(sla.id);
  // What the address says is exact to the millisecond; the inputs are to the second.
  const exact = (text: string, given: number | undefined) => (given !== undefined && localTime(given) === text ? given : instantOf(text));
  const [fromMs, toMs] = [exact(from, span?.fromMs), exact(to, span?.toMs)];
  const isSpan = fromMs !== undefined && toMs !== undefined && fromMs < toMs;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fromMs !== undefined && toMs !== undefined) ask.mutate({ fromMs, toMs, reason, note }, { onSuccess: ({ id }) => onMade(id) });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <div className="row-wrap fields">
        <TextInput
          label={t('From')}
          type="datetime-local"
          step={1}
          required
          data-autofocus
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          label={t('To')}
          type="datetime-local"
          step={1}
          required
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <NativeSelect
          label={t('Reason')}
          data={EXCLUSION_REASONS.map((value) => ({ value, label: phrase(value) }))}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <p className="faint">{t('Times in {timeZone}.', { timeZone })}</p>
      <Textarea
        label={t('Note')}
        description={t('What happened and where it is written down; it stands in the statement.')}
        required
        autosize
        minRows={2}
        maxLength={4_000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {isSpan ? <Impact sla={sla} fromMs={fromMs} toMs={toMs} /> : <p className="soft">{t('The end must lie after the beginning.')}</p>}
      {ask.isError ? <RefusedNotice error={ask.error} /> : null}
      <div className="row-wrap">
        <Button type="submit" loading={ask.isPending} disabled={!isSpan}>
          {t('Ask for this exclusion')}
        </Button>
      </div>
    </form>
  );
}
