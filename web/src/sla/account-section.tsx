import { missedInWords } from '@nines/maths/slo/promise-words.ts';
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { accountQuery } from '../api/sla-queries.ts';
import type { SegmentView, SlaView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { RANGES, type Range, rangeMs, viewOf } from '../shell/search.ts';
import { StateMark } from '../states/state-mark.tsx';
import { phrase } from '../states/words.ts';
import { countedText, markOf } from '../timeline/counted.ts';
import { whyText } from '../timeline/interval-words.ts';
import { Timeline } from '../timeline/timeline.tsx';
import { LONGEST_VIEW_MS, type View, clampView } from '../timeline/view.ts';
import { SegmentEvidence } from './segment-evidence.tsx';

/** A view that follows the present moves on every five seconds. */
const FOLLOW_MS = 5_000;
const NONE: readonly never[] = [];

/** A stretch as the time line draws it: what is taken out looks taken out. */
type Drawn = Omit<SegmentView, 'state'> & { readonly state: ReturnType<typeof markOf>; readonly segment: SegmentView };

/** How the contract counted each moment: the time line, and everything on it that was bad or taken out, each with its evidence. */
export function AccountSection({ sla }: { readonly sla: SlaView }) {
  const search = useSearch({ from: '/shell/slas/$id' });
  const navigate = useNavigate({ from: '/slas/$id' });
  const present = useNowStep(FOLLOW_MS);
  const windowRange = RANGES.find((range) => rangeMs(range) >= sla.window.to_at_ms - sla.window.from_at_ms) ?? '90d';
  const view = viewOf(search, windowRange, present);
  const account = useQuery(accountQuery(sla.id, view.fromMs, Math.min(view.toMs, present)));
  const segments = account.data?.segments ?? NONE;
  const drawn = useMemo(() => segments.map((segment): Drawn => ({ ...segment, state: markOf(segment), segment })), [segments]);
  const limit = { fromMs: present - LONGEST_VIEW_MS, toMs: present };
  const toView = (next: View) => {
    const { fromMs, toMs } = clampView(next, limit);
    const { at } = search;
    void navigate({ search: { ...(at === undefined ? {} : { at }), from: fromMs, to: toMs }, resetScroll: false });
  };
  const toOpen = (atMs: number | null) => {
    const { at: _closed, ...rest } = search;
    void navigate({ search: atMs === null ? rest : { ...rest, at: atMs }, replace: true, resetScroll: false });
  };
  return (
    <Section
      title={search.day === undefined ? t('Time line') : t('Time line of {day}', { day: search.day })}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('Range')}
          data={RANGES.map((range) => ({ value: range, label: windowText(rangeMs(range)) }))}
          value={search.from === undefined ? (search.range ?? windowRange) : ''}
          onChange={(value) => void navigate({ search: { range: value as Range }, resetScroll: false })}
        />
      }
    >
      <div id="timeline" />
      {account.isError ? <ErrorNotice error={account.error} retry={() => void account.refetch()} /> : null}
      <Timeline
        name={sla.name === '' ? sla.id : sla.name}
        intervals={drawn}
        view={view}
        limit={limit}
        onView={toView}
        openAtMs={search.at ?? null}
        onOpen={toOpen}
        evidence={(one, close) => <SegmentEvidence sla={sla} segment={one.segment} onClose={close} />}
      />
      <div className="legend">
        <StateMark state="up" />
        <StateMark state="degraded" />
        <StateMark state="down" />
        <StateMark state="unknown" />
        <StateMark state="excluded" word={t('Taken out by the contract')} />
      </div>
      <Notable sla={sla} segments={segments} isRead={account.data !== undefined} />
    </Section>
  );
}

const MOST_ROWS = 50;

/** What of the view was not simply good, newest first. */
function Notable({
  sla,
  segments,
  isRead,
}: {
  readonly sla: SlaView;
  readonly segments: readonly SegmentView[];
  readonly isRead: boolean;
}) {
  const search = useSearch({ from: '/shell/slas/$id' });
  const notable = useMemo(() => segments.filter(isNotable).reverse(), [segments]);
  if (!isRead) return null;
  if (notable.length === 0) {
    // The time before anybody looked is drawn as unknown: the words must not say that nothing was.
    const young = segments.some((segment) => segment.unknown_reason === 'not_yet_monitored');
    return (
      <p className="empty empty-quiet">
        {young
          ? t('Nothing in this stretch was bad, unknown or taken out since it is watched; before, nothing is known.')
          : t('Nothing in this stretch was bad, unknown or taken out.')}
      </p>
    );
  }
  const columns: readonly Column<SegmentView>[] = [
    {
      id: 'from',
      header: t('From'),
      cell: (segment) => (
        <Link
          to="/slas/$id"
          params={{ id: sla.id }}
          search={{ ...search, at: segment.from_at_ms }}
          replace
          resetScroll={false}
          hash="timeline"
          className="row-name"
          data-row=""
        >
          <Instant atMs={segment.from_at_ms} relative={false} />
        </Link>
      ),
    },
    {
      id: 'length',
      header: t('Length'),
      label: t('length'),
      numeric: true,
      cell: (segment) => lengthText(segment.to_at_ms - segment.from_at_ms),
    },
    { id: 'state', header: t('State'), cell: (segment) => <StateMark state={segment.state} /> },
    { id: 'counts', header: t('Under the contract'), cell: (segment) => countedText(segment) },
    { id: 'why', header: t('Because'), cell: (segment) => <span className="wrap">{becauseText(segment, sla)}</span> },
  ];
  return (
    <div className="panel">
      <DataTable
        caption={t('Stretches that were bad, unknown or taken out')}
        columns={columns}
        rows={notable.slice(0, MOST_ROWS)}
        rowKey={(segment) => String(segment.from_at_ms)}
      />
      {notable.length > MOST_ROWS ? (
        <p className="soft panel-pad">
          {t('{count, plural, one {# older one is} other {# older ones are}} not listed; look closer at the time line.', {
            count: notable.length - MOST_ROWS,
          })}
        </p>
      ) : null}
    </div>
  );
}

const isNotable = (segment: SegmentView): boolean =>
  segment.unknown_reason !== 'not_yet_monitored' &&
  segment.overlay !== 'out_of_hours' &&
  (segment.bad_ms > 0 || segment.overlay !== null || segment.state === 'unknown' || segment.state === 'degraded');

function becauseText(segment: SegmentView, sla: SlaView): string {
  const { exclusion, maintenance, downtime } = segment;
  if (exclusion !== null) return t('{reason}, approved by {name}', { reason: phrase(exclusion.reason), name: exclusion.approved_by });
  if (segment.excluded_by === 'maintenance') return maintenance?.name ?? t('Announced maintenance');
  if (segment.unknown_reason === 'no_data' && sla.indicator.kind !== 'availability') return t('no samples, or the slice is not over');
  if (segment.excluded_by === 'service_down') return t('the service was down');
  if (segment.bad_ms > 0 && sla.indicator.kind !== 'availability') return fromServer(missedInWords(sla.indicator));
  const why = whyText(segment);
  return downtime === null || downtime.reason === 'unplanned_outage' ? why : `${phrase(downtime.reason)}: ${why}`;
}
