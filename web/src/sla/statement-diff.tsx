import { useQuery } from '@tanstack/react-query';
import { statementQuery } from '../api/sla-queries.ts';
import type { IssuedView, SignedStatement } from '../api/wire.ts';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { CompareFigures } from './compare-figures.tsx';
import { type Change, changeName, changeText, figuresOf } from './statement-changes.ts';

/** Two revisions of one period side by side: the figures, and every field that changed. */
export function StatementDiff({ before, after }: { readonly before: IssuedView; readonly after: SignedStatement }) {
  const earlier = useQuery(statementQuery(before.id));
  const changes = after.revision?.changes ?? [];
  const number = after.revision?.number ?? '';
  const names = [t('Revision {number}', { number: before.revision }), t('Revision {number}', { number })] as const;
  return (
    <Section title={t('What revision {number} changed', { number })} aside={after.revision?.why.join('; ')}>
      {earlier.data === undefined ? (
        <Waiting query={earlier} what={t('the revision before')} />
      ) : (
        <CompareFigures
          view={{
            id: after.id,
            period: after.period,
            finality: after.finality,
            actual: figuresOf(earlier.data),
            what_if: figuresOf(after),
          }}
          names={names}
        />
      )}
      {changes.length === 0 ? null : <Changes changes={changes} names={names} />}
    </Section>
  );
}

const MOST = 60;

function Changes({ changes, names }: { readonly changes: readonly Change[]; readonly names: readonly [string, string] }) {
  return (
    <details>
      <summary>{t('{count, plural, one {# field differs} other {# fields differ}}', { count: changes.length })}</summary>
      <div className="panel">
        <div className="table-scroll" role="region" aria-label={t('Fields that differ')} tabIndex={0}>
          <table className="table">
            <caption className="sr-only">{t('Fields that differ between the revisions')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('Field')}</th>
                <th scope="col">{names[0]}</th>
                <th scope="col">{names[1]}</th>
              </tr>
            </thead>
            <tbody>
              {changes.slice(0, MOST).map((change) => (
                <tr key={change.path}>
                  <td className="mono wrap">{changeName(change.path)}</td>
                  <td className="wrap">{changeText(change.path, change.from)}</td>
                  <td className="wrap">{changeText(change.path, change.to)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {changes.length > MOST ? (
          <p className="soft panel-pad">{t('{count} more are in the JSON form.', { count: changes.length - MOST })}</p>
        ) : null}
      </div>
    </details>
  );
}
