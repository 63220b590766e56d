import { Button, NativeSelect, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type MuteView, insightStatusQuery, insightsQuery, mutesQuery, useMute, useRunInsights, useUnmute } from '../api/insights.ts';
import { EmptyState, ErrorNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { useCan } from '../shell/session.tsx';
import { InsightCard } from './insight-card.tsx';
import { KIND_WORDS, muteWords, reasonWords, statusSentence, untilWords } from './insight-words.ts';
import { type AnalyticsSearch, KINDS, type SearchChange } from './search.ts';

type Props = { readonly search: AnalyticsSearch; readonly onSearch: (change: SearchChange) => void };

const STATUSES = [
  { value: 'open', label: t('Open') },
  { value: 'all', label: t('All') },
  { value: 'muted', label: t('Muted') },
];

/** What the numbers say by themselves, the most important first. */
export function InsightsView({ search, onSearch }: Props) {
  return (
    <>
      <div className="filters no-print">
        <SegmentedControl
          size="xs"
          aria-label={t('Which insights')}
          data={STATUSES}
          value={search.status ?? 'open'}
          onChange={(value) => onSearch({ status: value === 'all' || value === 'muted' ? value : undefined })}
        />
        <NativeSelect
          size="xs"
          aria-label={t('Kind')}
          data={[{ value: '', label: t('Every kind') }, ...KINDS.map((kind) => ({ value: kind, label: KIND_WORDS[kind] }))]}
          value={search.kind ?? ''}
          onChange={({ currentTarget: { value } }) => onSearch({ kind: KINDS.find((kind) => kind === value) })}
        />
        <LookNow />
      </div>
      {search.status === 'muted' ? <Muted /> : <Feed {...search} />}
    </>
  );
}

/** When it was looked last, and a way not to wait. */
function LookNow() {
  const status = useQuery(insightStatusQuery());
  const run = useRunInsights();
  const now = useNow();
  const mayRun = useCan('operate', 'analytics');
  return (
    <>
      <span className="faint" role="status">
        {status.data === undefined ? '' : statusSentence(status.data, now)}
      </span>
      {mayRun && status.data?.state === 'waiting' ? (
        <button type="button" className="plain-button" disabled={run.isPending} onClick={() => run.mutate(undefined)}>
          {t('Look now')}
        </button>
      ) : null}
      {run.isError ? <ErrorNotice error={run.error} /> : null}
    </>
  );
}

/** The findings, and after a mute the way back. */
export function Feed({ status, kind, most }: Pick<AnalyticsSearch, 'status' | 'kind'> & { readonly most?: number }) {
  const query = useInfiniteQuery(insightsQuery(status === 'all' ? 'all' : 'open', kind));
  const mute = useMute();
  const all = query.data?.pages.flatMap(({ items }) => items) ?? [];
  const items = most === undefined ? all : all.slice(0, most);
  return (
    <>
      {mute.data === undefined ? null : <Undo key={mute.data.id} mute={mute.data} onDone={mute.reset} />}
      {mute.isError ? <ErrorNotice error={mute.error} /> : null}
      <Waiting query={query} what={t('insights')} />
      {query.data !== undefined && items.length === 0 ? <NoInsights filtered={kind !== undefined} /> : null}
      <div className="insights">
        {items.map((insight) => (
          <InsightCard key={insight.id} insight={insight} onMute={mute.mutate} />
        ))}
      </div>
      {most === undefined && query.hasNextPage ? (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('Show more')}
        </Button>
      ) : null}
      {most !== undefined && all.length > most ? (
        <p>
          <Link to="/analytics" search={{ view: 'insights' }}>
            {t('All {all} insights', { all: all.length })}
          </Link>
        </p>
      ) : null}
    </>
  );
}

function Undo({ mute, onDone }: { readonly mute: MuteView; readonly onDone: () => void }) {
  const unmute = useUnmute();
  const now = useNow();
  return (
    <div className="notice" role="status">
      <p>
        {t('{what} is muted {until}.', { what: muteWords(mute), until: untilWords(mute.until_ms, now) })}{' '}
        <button
          type="button"
          className="plain-button"
          disabled={unmute.isPending}
          onClick={() => unmute.mutate(mute.id, { onSuccess: onDone })}
        >
          {t('Undo')}
        </button>
      </p>
      {unmute.isError ? <ErrorNotice error={unmute.error} /> : null}
    </div>
  );
}

/** Nothing is an answer too: it says what was looked at, and why so little came of it. */
function NoInsights({ filtered }: { readonly filtered: boolean }) {
  const status = useQuery(insightStatusQuery());
  const now = useNow();
  const refused = Object.entries(status.data?.last?.refused ?? {}).sort(([, a], [, b]) => b - a);
  return (
    <EmptyState
      action={
        <Link to="/analytics" search={{ view: 'series' }}>
          {t('Look at a series yourself')}
        </Link>
      }
    >
      {filtered ? t('Nothing significant of this kind.') : t('Nothing significant.')}
      {status.data === undefined ? ' ' : ` ${statusSentence(status.data, now)} `}
      {t(
        'An insight is shown only when chance, common seasons and the number of tests do not explain it, and it is large enough to matter.',
      )}
      {refused.length === 0
        ? ''
        : ` ${t('What led to nothing: {reasons}.', { reasons: refused.map(([reason, number]) => `${reasonWords(reason)} ${number}`).join(', ') })}`}
    </EmptyState>
  );
}

function Muted() {
  const query = useQuery(mutesQuery());
  const unmute = useUnmute();
  const now = useNow();
  const mayChange = useCan('operate', 'analytics');
  const items = query.data?.items ?? [];
  return (
    <>
      <Waiting query={query} what={t('mutes')} />
      {unmute.isError ? <ErrorNotice error={unmute.error} /> : null}
      {query.data !== undefined && items.length === 0 ? <p className="empty empty-quiet">{t('Nothing is muted.')}</p> : null}
      {items.length === 0 ? null : (
        <ul className="panel settings-list">
          {items.map((mute) => (
            <li key={mute.id}>
              <span>
                <strong>{muteWords(mute)}</strong>
                <span className="soft">{` ${untilWords(mute.until_ms, now)}`}</span>
                <br />
                <span className="faint">{mute.reason}</span>
              </span>
              {mayChange ? (
                <button type="button" className="plain-button" disabled={unmute.isPending} onClick={() => unmute.mutate(mute.id)}>
                  {t('Hear it again')}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
