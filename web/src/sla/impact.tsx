import { useQuery } from '@tanstack/react-query';
import { issuedQuery, whatIfQuery } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { CompareFigures } from './compare-figures.tsx';
import { type Period, periodsTouched } from './periods.ts';

type Props = { readonly sla: SlaView; readonly fromMs: number; readonly toMs: number };

/** What taking this time out would change, money included, period by period; said before anybody decides. */
export function Impact({ sla, fromMs, toMs }: Props) {
  const now = useNowStep(60_000);
  const issued = useQuery(issuedQuery({ sla: sla.id }));
  if (fromMs >= now) return <p className="soft">{t('This time lies ahead: what it changes will be known when it is over.')}</p>;
  const restated = new Set(
    (issued.data?.items ?? [])
      .filter((one) => one.from_at_ms < toMs && one.to_at_ms > fromMs)
      .map((one) => `${one.from_at_ms} ${one.to_at_ms} ${one.customer}`),
  ).size;
  return (
    <div className="stack">
      {periodsTouched(sla, { fromMs, toMs: Math.min(toMs, now) }).map((period) => (
        <OfPeriod key={period.name} sla={sla} period={period} span={{ fromMs, toMs }} />
      ))}
      <p className="soft">
        {restated === 0
          ? t('No issued statement is about this time.')
          : t('{count, plural, one {# issued statement is} other {# issued statements are}} about this time and will be restated.', {
              count: restated,
            })}
      </p>
    </div>
  );
}

function OfPeriod({
  sla,
  period,
  span,
}: {
  readonly sla: SlaView;
  readonly period: Period;
  readonly span: { readonly fromMs: number; readonly toMs: number };
}) {
  const body = {
    period: period.name,
    zone: period.zone,
    exclude: [{ from: String(span.fromMs / 1000), to: String(span.toMs / 1000) }],
  };
  const answer = useQuery(whatIfQuery(sla.id, body));
  if (answer.isError) return <ErrorNotice error={answer.error} retry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <p className="loading">{t('Reckoning {period} …', { period: period.name })}</p>;
  return (
    <div>
      <h3>
        {answer.data.finality === 'final'
          ? t('What it changes in {period}', { period: period.name })
          : t('What it changes in {period}, which is not over', { period: period.name })}
      </h3>
      <CompareFigures view={answer.data} names={[t('As it is'), t('With the exclusion')]} />
    </div>
  );
}
