import { useQuery } from '@tanstack/react-query';
import { healthQuery } from '../api/queries.ts';
import type { HealthReportView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { language } from '../language/language.ts';
import { fromServer } from '../language/server-text.ts';
import { PERCENT, decimalText } from '../figures/percent.ts';
import { t, rich } from '../language/t.ts';
import { Headline, StateMark } from '../states/state-mark.tsx';
import type { MarkState } from '../states/words.ts';
import { useTitle } from './use-title.ts';

type Check = HealthReportView['checks'][number];
type Measure = Check['measures'][number];
type Level = HealthReportView['level'];

const LEVELS: Readonly<Record<Level, { readonly mark: MarkState; readonly word: string; readonly colour: string }>> = {
  ok: { mark: 'up', word: t('OK'), colour: 'var(--up)' },
  warning: { mark: 'degraded', word: t('Warning'), colour: 'var(--degraded)' },
  critical: { mark: 'down', word: t('Critical'), colour: 'var(--down)' },
  unknown: { mark: 'unknown', word: t('Unknown'), colour: 'var(--unknown)' },
};

const SUFFIX = { percent: PERCENT, seconds: ' s', count: '', ratio: '' } as const;
const shown = (value: number, unit: Measure['unit']): string => `${decimalText(String(Number(value.toPrecision(3))))}${SUFFIX[unit]}`;

/** How this host and Nines itself are: five checks, read once a minute. */
export function HealthPage() {
  useTitle(t('Health'));
  const query = useQuery(healthQuery());
  const { data: report } = query;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          {report === undefined ? <h1>{t('Health')}</h1> : <Headline state={LEVELS[report.level].mark}>{sentenceOf(report)}</Headline>}
          {report === undefined || report.at_ms === null ? null : (
            <p className="page-lead">{rich('Of this host and of Nines itself, read {at}', { at: <Instant atMs={report.at_ms} /> })}</p>
          )}
        </div>
      </header>
      <Waiting query={query} what={t('the health report')} />
      {report?.checks.map((check) => (
        <CheckSection key={check.id} check={check} report={report} />
      ))}
    </div>
  );
}

/** A name within a sentence: German writes its nouns with a capital. */
const within = (name: string): string => (language === 'de' ? name : name.toLowerCase());

/** `Critical: file system. Warning: process health.`, or that all is well. */
function sentenceOf({ at_ms: atMs, checks }: HealthReportView): string {
  if (atMs === null) return t('The host is being read for the first time.');
  const parts = (['critical', 'warning', 'unknown'] as const).flatMap((level) => {
    const names = checks.filter((check) => check.level === level).map(({ name }) => within(fromServer(name)));
    return names.length === 0 ? [] : `${LEVELS[level].word}: ${names.join(', ')}.`;
  });
  return parts.length === 0 ? t('The host and Nines are well.') : parts.join(' ');
}

function CheckSection({ check, report }: { readonly check: Check; readonly report: HealthReportView }) {
  const { mark, word } = LEVELS[check.level];
  return (
    <Section title={fromServer(check.name)} aside={<StateMark state={mark} word={word} />}>
      {check.why === null ? null : <p>{`${fromServer(check.why)}.`}</p>}
      <div className="panel">
        <DataTable
          caption={t('Figures of {what}', { what: within(fromServer(check.name)) })}
          columns={COLUMNS}
          rows={check.measures}
          rowKey={({ id }) => id}
        />
      </div>
      <History check={check} report={report} />
    </Section>
  );
}

const COLUMNS: readonly Column<Measure>[] = [
  { id: 'name', header: t('Figure'), cell: ({ name }) => fromServer(name) },
  { id: 'level', header: t('Level'), cell: ({ level }) => <StateMark state={LEVELS[level].mark} word={LEVELS[level].word} /> },
  {
    id: 'value',
    header: t('Now'),
    label: t('now'),
    numeric: true,
    cell: ({ value, unit }) => (value === null ? t('no figure') : shown(value, unit)),
  },
  { id: 'warning', header: t('Warning from'), label: t('warning from'), numeric: true, cell: ({ warning, unit }) => shown(warning, unit) },
  {
    id: 'critical',
    header: t('Critical from'),
    label: t('critical from'),
    numeric: true,
    cell: ({ critical, unit }) => shown(critical, unit),
  },
  { id: 'trend', header: t('Trend'), label: t('trend'), cell: ({ trend, unit }) => (trend === null ? '' : trendText(trend, unit)) },
];

function trendText({ per_hour: perHour, critical_in_ms: criticalInMs }: NonNullable<Measure['trend']>, unit: Measure['unit']): string {
  const slope = t('{change} an hour', { change: `${perHour >= 0 ? '+' : '−'}${shown(Math.abs(perHour), unit)}` });
  return criticalInMs === null
    ? slope
    : t('{slope}, critical in {length}', { slope, length: lengthText(criticalInMs - (criticalInMs % 60_000)) });
}

/** The last day as one bar; what it says stands in words for those who cannot see it. */
function History({ check, report }: { readonly check: Check; readonly report: HealthReportView }) {
  const total = report.to_at_ms - report.from_at_ms;
  const words = check.history.map(({ level, from_at_ms: from, to_at_ms: to }) =>
    t('{level} for {length}', {
      level: LEVELS[level].word.toLowerCase(),
      length: lengthText(Math.max(60_000, to - from - ((to - from) % 60_000))),
    }),
  );
  return (
    <div
      className="health-strip"
      role="img"
      aria-label={t('Last day of {what}: {words}', { what: within(fromServer(check.name)), words: words.join(', ') })}
    >
      {check.history.map(({ level, from_at_ms: from, to_at_ms: to }) => (
        <span key={from} style={{ width: `${((to - from) / total) * 100}%`, background: LEVELS[level].colour }} />
      ))}
    </div>
  );
}
