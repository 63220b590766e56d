import { useQuery } from '@tanstack/react-query';
import { failuresQuery } from '../api/queries.ts';
import { preciseInstant } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { resultText } from '../pages/checks-table.tsx';
import { RawSamples } from '../sla/raw-samples.tsx';
import { Evidence } from './evidence.tsx';

/** The attempt of an instant among those around it, and what was answered where that is kept: the end of every chain of evidence. */
export function AttemptAt({ check, atMs }: { readonly check: string; readonly atMs: number }) {
  const kept = useQuery(failuresQuery(check, { fromMs: atMs, toMs: atMs }));
  const items = kept.data?.items ?? [];
  return (
    <section className="section" aria-label={t('Results around {at}', { at: preciseInstant(atMs) })}>
      <h3>{t('Results around {at}', { at: preciseInstant(atMs) })}</h3>
      {items.map((result) => (
        <div key={result.location ?? ''} className="panel panel-pad">
          <p>{result.location === null ? resultText(result) : `${result.location}: ${resultText(result)}`}</p>
          <Evidence check={check} result={result} />
        </div>
      ))}
      {kept.data !== undefined && items.length === 0 ? (
        <p className="soft">
          {t('What was answered then is not kept: of every run of failures the first ten are, and one every ten minutes after them.')}
        </p>
      ) : null}
      <RawSamples check={check} atMs={atMs} />
    </section>
  );
}
