import { Menu } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type InsightView, type MuteWish, type Verdict, useFeedback } from '../api/insights.ts';
import { Ago, Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { PERCENT } from '../figures/percent.ts';
import { fromServer } from '../language/server-text.ts';
import { rich, t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { useCan } from '../shell/session.tsx';
import { EvidenceChart } from './evidence-chart.tsx';
import { KIND_WORDS, untilWords } from './insight-words.ts';
import { unitText } from './units.ts';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

type Props = { readonly insight: InsightView; readonly onMute: (wish: MuteWish) => void };

/** One finding: its sentence, the picture it rests on, how sure it is, and what to do. */
export function InsightCard({ insight, onMute }: Props) {
  const { kind, sentence, subject, confidence, figures, next, ended_at_ms: endedMs, seen_at_ms: seenMs, muted_until_ms: mutedMs } = insight;
  const now = useNow();
  return (
    <article className="panel panel-pad insight" aria-label={sentence}>
      <header>
        <p className="insight-kind">
          <span className="kind">{KIND_WORDS[kind]}</span>
          <InsideLink href={subject.href}>{subject.name}</InsideLink>
          <span className="faint">
            {endedMs === null ? (
              <>{rich('holds, seen {ago}', { ago: <Ago atMs={seenMs} /> })}</>
            ) : (
              <>{rich('ended {ago}||insight', { ago: <Ago atMs={endedMs} /> })}</>
            )}
          </span>
          {mutedMs === null || mutedMs <= now ? null : (
            <span className="faint">{t('muted {until}', { until: untilWords(mutedMs, now) })}</span>
          )}
        </p>
        <h3>{fromServer(sentence)}</h3>
      </header>
      <InsightPicture insight={insight} />
      <dl className="facts insight-figures">
        {figures.map(({ label, value, unit }) => (
          <div key={label}>
            <dt>{fromServer(label)}</dt>
            <dd>{unitText(unit)(value)}</dd>
          </div>
        ))}
      </dl>
      <p className="insight-doubt">
        <strong>{capital(fromServer(confidence.words))}</strong>
        <span className="faint">{` · ${fromServer(confidence.method)} · `}</span>
        <span className="faint">{rich('found {at}', { at: <Instant atMs={insight.found_at_ms} relative={false} /> })}</span>
      </p>
      <footer className="row-wrap">
        <span className="insight-next">
          <InsideLink href={next.href}>{fromServer(next.text)}</InsideLink>
        </span>
        <Link to="/analytics" search={{ view: 'series', q: insight.expr }} className="plain-button">
          {t('Look at the series')}
        </Link>
        <Verdicts insight={insight} onMute={onMute} />
      </footer>
    </article>
  );
}

/** An address of the server inside the product. */
function InsideLink({ href, children }: { readonly href: string | null; readonly children: string }) {
  return href?.startsWith('/') === true && !href.startsWith('//') ? <Link to={href}>{children}</Link> : <span>{children}</span>;
}

/** How much higher the picture is where it stands alone. */
const CARD_PX = 140;

export function InsightPicture({ insight, height = CARD_PX }: { readonly insight: InsightView; readonly height?: number }) {
  const { evidence, sentence, unit } = insight;
  const text = useMemo(() => unitText(unit), [unit]);
  const lines = useMemo(
    () => [
      { name: t('measured||of a chart'), role: 'value' as const, points: evidence.points },
      ...(evidence.line === undefined ? [] : [lineOf(insight)]),
    ],
    [evidence, insight],
  );
  const foretold = insight.kind === 'prediction';
  const bands = useMemo(
    () =>
      evidence.band === undefined
        ? []
        : [
            {
              name: foretold ? `95${PERCENT}` : t('usual||of a chart'),
              role: foretold ? ('forecast' as const) : ('trend' as const),
              points: evidence.band,
            },
          ],
    [evidence, foretold],
  );
  const limit = useMemo(
    () => (evidence.limit === undefined ? undefined : { value: evidence.limit, name: t('limit {limit}', { limit: text(evidence.limit) }) }),
    [evidence, text],
  );
  return (
    <EvidenceChart
      summary={t('Evidence: {sentence}', { sentence: fromServer(sentence) })}
      fromMs={evidence.from_at_ms}
      toMs={evidence.to_at_ms}
      stepMs={evidence.step_ms}
      lines={lines}
      bands={bands}
      {...(evidence.episodes === undefined ? {} : { episodes: evidence.episodes })}
      limit={limit}
      height={height}
      text={text}
    />
  );
}

/** The second line of a picture, by what the finding is about. */
function lineOf({ kind, evidence }: InsightView) {
  const points = evidence.line ?? [];
  if (kind === 'correlation') return { name: t('the other, on this scale'), role: 'other' as const, points };
  if (kind === 'prediction') return { name: t('forecast'), role: 'forecast' as const, points };
  return { name: kind === 'seasonality' ? 'rhythm' : 'trend', role: 'trend' as const, points };
}

const MUTES = [
  { what: 'finding', for: '7d', word: t('This finding for 7 days') },
  { what: 'finding', for: 'forever', word: t('This finding for good') },
  { what: 'subject', for: '7d', word: t('Everything about this for 7 days') },
  { what: 'kind', for: '7d', word: t('This kind for 7 days') },
  { what: 'kind', for: 'forever', word: t('This kind for good') },
] as const;
const VERDICTS: readonly { readonly verdict: Verdict; readonly word: string }[] = [
  { verdict: 'useful', word: t('Useful') },
  { verdict: 'wrong', word: t('Wrong') },
];

/** What people say of it. Pressed again, it is taken back. */
function Verdicts({ insight, onMute }: Props) {
  const feedback = useFeedback(insight.id);
  if (!useCan('operate', 'analytics')) return null;
  return (
    <span className="row-wrap insight-verdicts">
      {VERDICTS.map(({ verdict, word }) => (
        <button
          key={verdict}
          type="button"
          className="chip"
          aria-pressed={insight.feedback === verdict}
          disabled={feedback.isPending}
          onClick={() => feedback.mutate(insight.feedback === verdict ? null : verdict)}
        >
          {word}
        </button>
      ))}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <button type="button" className="chip">
            {t('Mute')}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {MUTES.map(({ what, for: length, word }) => (
            <Menu.Item key={word} onClick={() => onMute({ id: insight.id, what, for: length })}>
              {word}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {feedback.isError ? <ErrorNotice error={feedback.error} /> : null}
    </span>
  );
}
