import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { timelineQuery } from '../api/queries.ts';
import type { ServiceDetailView } from '../api/wire.ts';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { Strip } from '../timeline/strip.tsx';
import type { View } from '../timeline/view.ts';

type Composite = NonNullable<ServiceDetailView['composite']>;
const WIDTH = 480;
const HEIGHT = 16;

/** What a composite consists of: each member's time under the composite's, on the same scale, so that what decided any instant can be seen. */
export function Members({ service, view }: { readonly service: ServiceDetailView; readonly view: View }) {
  const { composite } = service;
  if (composite === null) return null;
  const weighted = composite.members.some(({ weight }) => weight !== 1);
  return (
    <Section title={t('Consists of')} aside={t('works while {rule} work', { rule: composite.rule })}>
      <div className="panel">
        <div className="table-scroll" role="region" aria-label={t('Members of {service}', { service: service.name })} tabIndex={0}>
          <table className="table">
            <caption className="sr-only">{t('Members of {service}', { service: service.name })}</caption>
            <thead>
              <tr>
                <th scope="col">{t('Service')}</th>
                <th scope="col">{t('State')}</th>
                {weighted ? (
                  <th scope="col" className="numeric">
                    {t('Weight')}
                  </th>
                ) : null}
                <th scope="col">{t('In the time shown above')}</th>
              </tr>
            </thead>
            <tbody>
              {composite.members.map((member) => (
                <Member key={member.service} member={member} weighted={weighted} view={view} />
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </Section>
  );
}

function Member({
  member,
  weighted,
  view,
}: {
  readonly member: Composite['members'][number];
  readonly weighted: boolean;
  readonly view: View;
}) {
  const timeline = useQuery(timelineQuery(member.service, view.fromMs, view.toMs));
  return (
    <tr>
      <td>
        <Link to="/services/$id" params={{ id: member.service }} search={{ from: view.fromMs, to: view.toMs }} className="row-name">
          {member.service}
        </Link>
      </td>
      <td>
        <StateMark state={member.state} />
      </td>
      {weighted ? <td className="numeric">{member.weight}</td> : null}
      <td>
        <span className="mini-timeline" role="img" aria-label={t('Time line of {service}', { service: member.service })}>
          {timeline.data === undefined ? null : <Strip intervals={timeline.data.intervals} view={view} width={WIDTH} height={HEIGHT} />}
        </span>
      </td>
    </tr>
  );
}
