import { NativeSelect } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEditDowntime } from '../api/actions.ts';
import type { DowntimeView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant, Running } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';
import { boundsText } from '../timeline/evidence.tsx';
import { DOWNTIME_REASONS } from './downtime-reasons.ts';

/** Room on both sides of an outage when the time line jumps to it. */
const MARGIN = 0.5;
const LEAST_MARGIN_MS = 5_000;

function around(downtime: DowntimeView): { from: number; to: number } {
  const to = downtime.to_at_ms ?? downtime.from_at_ms + 60_000;
  const margin = Math.max(LEAST_MARGIN_MS, (to - downtime.from_at_ms) * MARGIN);
  return { from: Math.round(downtime.from_at_ms - margin), to: Math.round(to + margin) };
}

/** How exactly the length is known: the two bounds' widths together. */
function Doubt({ downtime }: { readonly downtime: DowntimeView }) {
  const [fromLow, fromHigh] = downtime.from_bounds_at_ms;
  const [toLow, toHigh] = downtime.to_bounds_at_ms ?? [0, 0];
  const doubt = fromHigh - fromLow + (toHigh - toLow);
  const words = t('start {start}; end {end}', {
    start: boundsText(downtime.from_bounds_at_ms),
    end: downtime.to_at_ms === null ? t('open') : boundsText(downtime.to_bounds_at_ms),
  });
  return (
    <span className="faint" title={words}>
      {doubt === 0 ? t('exact') : `± ${lengthText(doubt / 2)}`}
    </span>
  );
}

/** Why the service was down, as far as a person has said; those who may operate say it here. */
function Reason({ downtime }: { readonly downtime: DowntimeView }) {
  const mayAct = useCan('operate', 'services');
  const edit = useEditDowntime();
  const { id, reason, revision, excluded } = downtime;
  if (!mayAct) return excluded ? t('{reason}, excluded', { reason: phrase(reason) }) : phrase(reason);
  return (
    <>
      <NativeSelect
        size="xs"
        variant="unstyled"
        aria-label={t('Reason of the downtime')}
        data={DOWNTIME_REASONS.map((value) => ({ value, label: phrase(value) }))}
        value={reason}
        disabled={edit.isPending}
        onChange={(event) => edit.mutate({ id, reason: event.currentTarget.value, revision })}
      />
      {edit.isError ? <ErrorNotice error={edit.error} /> : null}
    </>
  );
}

/** Opens the downtime with its note and revisions. */
function More({ downtime }: { readonly downtime: DowntimeView }) {
  const navigate = useNavigate();
  const mayAct = useCan('operate', 'services');
  const open = () =>
    void navigate({
      to: '/services/$id',
      params: { id: downtime.service },
      search: (search) => ({ ...search, downtime: downtime.id }),
      resetScroll: false,
    });
  return (
    <button type="button" className="plain-button" onClick={open}>
      {downtime.revision > 1 ? t('Revision {number}', { number: downtime.revision }) : mayAct ? t('Annotate') : t('Open||verb')}
    </button>
  );
}

const COLUMNS: readonly Column<DowntimeView>[] = [
  {
    id: 'from',
    header: t('From'),
    cell: (downtime) => (
      <Link
        to="/services/$id"
        params={{ id: downtime.service }}
        search={around(downtime)}
        className="row-name"
        data-row=""
        resetScroll={false}
      >
        <Instant atMs={downtime.from_at_ms} relative={false} />
      </Link>
    ),
  },
  {
    id: 'to',
    header: t('To'),
    label: t('to'),
    cell: (downtime) =>
      downtime.to_at_ms === null ? <strong>{t('lasts')}</strong> : <Instant atMs={downtime.to_at_ms} relative={false} />,
  },
  {
    id: 'length',
    header: t('Length'),
    label: t('length'),
    numeric: true,
    cell: (downtime) =>
      downtime.to_at_ms === null ? <Running sinceMs={downtime.from_at_ms} /> : lengthText(downtime.to_at_ms - downtime.from_at_ms),
  },
  { id: 'doubt', header: t('Known to'), label: t('known to'), numeric: true, cell: (downtime) => <Doubt downtime={downtime} /> },
  { id: 'reason', header: t('Reason'), cell: (downtime) => <Reason downtime={downtime} /> },
  { id: 'checks', header: t('Checks'), label: t('checks'), cell: (downtime) => <span className="mono">{downtime.checks.join(', ')}</span> },
  {
    id: 'evidence',
    header: t('What was seen'),
    cell: (downtime) => (
      <span className="wrap">
        {downtime.evidence.find((one) => one.detail !== '')?.detail}
        {downtime.note === '' ? null : <span className="faint">{` ${downtime.note}`}</span>}
      </span>
    ),
  },
  {
    id: 'more',
    header: t('More'),
    cell: (downtime) => <More downtime={downtime} />,
  },
];

/** Outages, newest first; the start leads to its place on the time line. */
export function DowntimeTable({ downtimes }: { readonly downtimes: readonly DowntimeView[] }) {
  const newestFirst = [...downtimes].sort((a, b) => b.from_at_ms - a.from_at_ms);
  return (
    <div className="panel">
      <DataTable caption={t('Downtimes')} columns={COLUMNS} rows={newestFirst} rowKey={(downtime) => downtime.id} />
    </div>
  );
}
