import { Link } from '@tanstack/react-router';
import type { ServiceDetailView } from '../api/wire.ts';
import { Since } from '../components/instant.tsx';
import { Section } from '../components/section.tsx';
import { StateMark } from '../states/state-mark.tsx';

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
    <Section title="Dependencies" aside={downstream.length === 0 ? undefined : `${harmed} of ${downstream.length} that depend on it fail`}>
      {causes.length === 0 ? null : <Causes causes={causes} />}
      <div className="columns-even">
        <Side title="It depends on" related={upstream} empty="It depends on no other service." />
        <Side title="What depends on it" related={downstream} empty="No other service depends on it." />
      </div>
    </Section>
  );
}

/** A suggestion, said as one: the order of the failures and the shape of the graph, nothing more. */
function Causes({ causes }: { readonly causes: Impact['causes'] }) {
  return (
    <div className="notice impact-causes" role="note" aria-label="Probable cause">
      {causes.map((cause, index) => (
        <p key={cause.service}>
          {index === 0 ? 'Probably because ' : 'Or because '}
          <Link to="/services/$id" params={{ id: cause.service }}>
            {cause.service}
          </Link>
          {` is ${cause.state} since `}
          <Since atMs={cause.since_at_ms} />
          {cause.is_root ? ': nothing that it depends on fails' : ': something that it depends on fails too'}
          {`, ${cause.explains.length} failing ${cause.explains.length === 1 ? 'service depends' : 'services depend'} on it.`}
        </p>
      ))}
    </div>
  );
}

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
              <th scope="col">State</th>
              <th scope="col">How</th>
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
                <td>{distance === 1 ? 'directly' : `over ${distance - 1} other${distance === 2 ? '' : 's'}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {related.length > SHOWN ? <p className="faint panel-pad">{`and ${related.length - SHOWN} more`}</p> : null}
    </div>
  );
}
