import { Link } from '@tanstack/react-router';
import type { ServiceDetailView } from '../api/wire.ts';
import { Since } from '../components/instant.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { stateWord } from '../states/words.ts';

type Impact = ServiceDetailView['impact'];
type Related = Impact['upstream'][number];
/** Rows of each side; the rest is counted. */
const SHOWN = 20;

/** What this service depends on and what depends on it, and why it probably fails. */
export function ImpactSection({ service }: { readonly service: ServiceDetailView }) {
  const { upstream, downstream, causes } = service.impact;
  if (upstream.length === 0 && downstream.length === 0) return null;
  const harmed = downstream.filter(({ state }) => state === 'down' || state === 'degraded').length;
  return (
    <Section
      title={t('Dependencies')}
      aside={downstream.length === 0 ? undefined : t('{harmed} of {count} that depend on it fail', { harmed, count: downstream.length })}
    >
      {causes.length === 0 ? null : <Causes causes={causes} />}
      <div className="columns-even">
        <Side title={t('It depends on')} related={upstream} empty={t('It depends on no other service.')} />
        <Side title={t('What depends on it')} related={downstream} empty={t('No other service depends on it.')} />
      </div>
    </Section>
  );
}

/** A suggestion, said as one: the order of the failures and the shape of the graph, nothing more. */
function Causes({ causes }: { readonly causes: Impact['causes'] }) {
  return (
    <div className="notice impact-causes" role="note" aria-label={t('Probable cause')}>
      {causes.map((cause, index) => (
        <p key={cause.service}>
          {index === 0
            ? rich('Probably because {service} is {state} since {since}', said(cause))
            : rich('Or because {service} is {state} since {since}', said(cause))}
          {`: ${cause.is_root ? t('nothing that it depends on fails') : t('something that it depends on fails too')}, `}
          {t('{count, plural, one {# failing service depends} other {# failing services depend}} on it.', { count: cause.explains.length })}
        </p>
      ))}
    </div>
  );
}

const said = (cause: Impact['causes'][number]) => ({
  service: (
    <Link to="/services/$id" params={{ id: cause.service }}>
      {cause.service}
    </Link>
  ),
  state: stateWord(cause.state),
  since: <Since atMs={cause.since_at_ms} />,
});

function Side({ title, related, empty }: { readonly title: string; readonly related: readonly Related[]; readonly empty: string }) {
  if (related.length === 0) return <p className="empty empty-quiet">{empty}</p>;
  return (
    <div className="panel">
      <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
        <table className="table">
          <caption className="sr-only">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{title}</th>
              <th scope="col">{t('State')}</th>
              <th scope="col">{t('How')}</th>
            </tr>
          </thead>
          <tbody>
            {related.slice(0, SHOWN).map(({ service, distance, state }) => (
              <tr key={service}>
                <td>
                  <Link to="/services/$id" params={{ id: service }} className="row-name">
                    {service}
                  </Link>
                </td>
                <td>
                  <StateMark state={state} />
                </td>
                <td>
                  {distance === 1 ? t('directly') : t('over {count, plural, one {# other} other {# others}}', { count: distance - 1 })}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {related.length > SHOWN ? <p className="faint panel-pad">{t('and {count} more', { count: related.length - SHOWN })}</p> : null}
    </div>
  );
}
