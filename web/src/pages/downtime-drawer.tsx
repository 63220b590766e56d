import { Button, Drawer, NativeSelect, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useEditDowntime, useUndoDowntime } from '../api/actions.ts';
import { downtimeRevisionsQuery, oneDowntimeQuery } from '../api/queries.ts';
import type { DowntimeRevisionView, DowntimeView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';
import { SeenTable, boundsText } from '../timeline/evidence.tsx';
import { DOWNTIME_REASONS } from './downtime-reasons.ts';
import { Restructure } from './downtime-restructure.tsx';

/** One downtime whole: what was seen, what people said of it, every revision, and the way back. */
export function DowntimeDrawer({ id, onClose }: { readonly id: string | undefined; readonly onClose: () => void }) {
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      title={t('Downtime')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close the downtime') }}
    >
      {id === undefined ? null : <Body id={id} />}
    </Drawer>
  );
}

function Body({ id }: { readonly id: string }) {
  const downtime = useQuery(oneDowntimeQuery(id));
  if (downtime.data === undefined) return <Waiting query={downtime} what={t('the downtime')} />;
  return <Details downtime={downtime.data} />;
}

const MARGIN_MS = 60_000;

function Details({ downtime }: { readonly downtime: DowntimeView }) {
  const { from_at_ms: from, to_at_ms: to } = downtime;
  const mayAct = useCan('operate', 'services');
  return (
    <div className="drawer-body">
      <div>
        <h2>{phrase(downtime.reason)}</h2>
        <p>
          {to === null
            ? t('Since {from}, not over.', { from: preciseInstant(from) })
            : t('{from} to {to}, {length}.', { from: preciseInstant(from), to: preciseInstant(to), length: lengthText(to - from) })}{' '}
          <Link
            to="/services/$id"
            params={{ id: downtime.service }}
            search={{ from: from - MARGIN_MS, to: (to ?? from + MARGIN_MS) + MARGIN_MS, at: from }}
          >
            {t('See this time')}
          </Link>
        </p>
        <dl className="evidence-facts">
          <dt>{t('True start')}</dt>
          <dd>{boundsText(downtime.from_bounds_at_ms)}</dd>
          <dt>{t('True end')}</dt>
          <dd>{to === null ? t('open') : boundsText(downtime.to_bounds_at_ms)}</dd>
        </dl>
        <ObjectMenu
          kind="downtime"
          id={downtime.id}
          address={`/services/${encodeURIComponent(downtime.service)}?downtime=${encodeURIComponent(downtime.id)}`}
        />
      </div>
      <SeenTable evidence={downtime.evidence} />
      {mayAct ? <Describe key={downtime.revision} downtime={downtime} /> : <p className="wrap">{downtime.note}</p>}
      {mayAct ? <Restructure key={`${downtime.revision} parts`} downtime={downtime} /> : null}
      <Revisions downtime={downtime} mayAct={mayAct} />
    </div>
  );
}

function Describe({ downtime }: { readonly downtime: DowntimeView }) {
  const [reason, setReason] = useState<string>(downtime.reason);
  const [note, setNote] = useState(downtime.note);
  const edit = useEditDowntime();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate({ id: downtime.id, reason, note, revision: downtime.revision });
  };
  return (
    <form className="section" onSubmit={submit}>
      <h3>{t('Why it was down')}</h3>
      <NativeSelect
        label={t('Reason')}
        data={DOWNTIME_REASONS.map((value) => ({ value, label: phrase(value) }))}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Textarea
        label={t('Note')}
        description={t('What happened, what was done; it stands in statements about this time.')}
        autosize
        minRows={2}
        maxLength={4_000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className="row-wrap">
        <Button type="submit" loading={edit.isPending} disabled={reason === downtime.reason && note === downtime.note}>
          {t('Save')}
        </Button>
      </div>
      {edit.isError ? <RefusedNotice error={edit.error} /> : null}
    </form>
  );
}

function Revisions({ downtime, mayAct }: { readonly downtime: DowntimeView; readonly mayAct: boolean }) {
  const revisions = useQuery(downtimeRevisionsQuery(downtime.id, downtime.revision));
  const undo = useUndoDowntime();
  const items = revisions.data?.items ?? [];
  return (
    <section className="section">
      <div className="section-head">
        <h3>{t('Revisions')}</h3>
        {mayAct && items.length > 1 ? (
          <Button variant="default" size="xs" loading={undo.isPending} onClick={() => undo.mutate(downtime.id)}>
            {t('Undo the last one')}
          </Button>
        ) : null}
      </div>
      <Waiting query={revisions} what={t('the revisions')} />
      {undo.isError ? <RefusedNotice error={undo.error} /> : null}
      <ol className="steps" aria-label={t('Revisions of the downtime')}>
        {[...items].reverse().map((revision) => (
          <Revision key={revision.revision} revision={revision} />
        ))}
      </ol>
    </section>
  );
}

const CHANGED = {
  split: t('split||done'),
  rejoined: t('put together again'),
  merged: t('merged with the next one'),
  unmerged: t('taken apart again'),
} as const;

function Revision({ revision }: { readonly revision: DowntimeRevisionView }) {
  return (
    <li>
      {revision.at_ms === null ? <span className="faint">{t('as recorded')}</span> : <Instant atMs={revision.at_ms} relative={false} />}
      <span className="wrap">
        {`${revision.revision}: ${revision.change === null || revision.change === 'edited' ? phrase(revision.reason) : CHANGED[revision.change]}`}
        {revision.by === null ? null : <span className="faint">{` ${t('by {name}', { name: revision.by })}`}</span>}
        {revision.note === '' ? null : <span className="soft">{`: ${revision.note}`}</span>}
      </span>
    </li>
  );
}
