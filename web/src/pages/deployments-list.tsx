import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { deploymentsQuery } from '../api/deployments.ts';
import { Instant } from '../components/instant.tsx';
import { Command } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { deploymentName } from '../charts/deployment-band.ts';

type Props = {
  readonly title: string;
  readonly services: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Says how a pipeline tells, when nothing was told; else there is nothing to see then. */
  readonly teach?: boolean;
};

const teaching = (service: string): string =>
  `curl -X POST ${window.location.origin}/api/deployments -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"service":"${service}","version":"v1"}'`;

/** What was put where within a stretch of time, the newest first. */
export function DeploymentsList({ title, services, fromMs, toMs, teach = false }: Props) {
  const { data } = useQuery({ ...deploymentsQuery({ services, fromMs, toMs }), enabled: services.length > 0 });
  const items = data?.items ?? [];
  if (items.length === 0 && (!teach || data === undefined)) return null;
  return (
    <Section title={title}>
      {items.length === 0 ? (
        <details>
          <summary className="faint small">{t('No pipeline has told of a version here. How it does')}</summary>
          <Command text={teaching(services[0] ?? '')} />
        </details>
      ) : null}
      <ul className="plain-list" aria-label={title}>
        {items.slice(0, 20).map((one) => (
          <li key={one.id}>
            <Instant atMs={one.at_ms} />{' '}
            {one.url === '' ? (
              <b className="wrap">{deploymentName(one)}</b>
            ) : (
              <a href={one.url} rel="noreferrer" className="wrap">
                {deploymentName(one)}
              </a>
            )}{' '}
            <span className="soft wrap">{`${t('by {who}', { who: one.by })}${one.note === '' ? '' : `: ${one.note}`}`}</span>{' '}
            {services.length > 1 ? (
              <Link to="/services/$id" params={{ id: one.service }}>
                {one.service}
              </Link>
            ) : null}
          </li>
        ))}
      </ul>
    </Section>
  );
}
