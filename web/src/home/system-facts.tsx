import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../api/home.ts';
import { mayIn } from '../api/permits.ts';
import { instantQuery } from '../api/prometheus.ts';
import { hostQuery } from '../api/queries.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useSession } from '../shell/session.tsx';

const OFTEN_MS = 60_000;

/** What this host tells of itself in labels; '' is not told. */
function useTold(instance: string): (metric: string, label: string) => string {
  const of = `{instance=${JSON.stringify(instance)}}`;
  const { data = [] } = useQuery({
    queryKey: ['host-facts', instance],
    queryFn: ({ signal }) => instantQuery({ expr: `{__name__=~"node_(uname|os|cpu)_info",instance=${JSON.stringify(instance)}}` }, signal),
    enabled: of !== '{instance=""}',
    staleTime: OFTEN_MS,
    refetchInterval: OFTEN_MS,
  });
  return (metric, label) => data.find(({ labels }) => labels['__name__'] === metric)?.labels[label] ?? '';
}

/** What this machine is and what runs on it: each fact with what tells it, and none that nobody tells. */
export function SystemFacts() {
  const session = useSession();
  const { data: host } = useQuery(hostQuery());
  const status = useQuery({ ...statusQuery(), enabled: mayIn(session, 'read', 'system') });
  const told = useTold(host?.instance ?? '');
  if (host === undefined) return null;
  const cores = host.cpu.cores.length;
  const facts: readonly (readonly [word: string, fact: string])[] = [
    [t('Host'), told('node_uname_info', 'nodename')],
    [t('Operating system'), told('node_os_info', 'pretty_name') || told('node_uname_info', 'sysname')],
    [t('Kernel'), told('node_uname_info', 'release')],
    [
      t('Processor'),
      [
        told('node_cpu_info', 'model_name'),
        told('node_uname_info', 'machine'),
        cores === 0 ? '' : t('{cores, plural, one {# core} other {# cores}}', { cores }),
      ]
        .filter((one) => one !== '')
        .join(', '),
    ],
    [t('Host is up'), host.uptime_seconds === null ? '' : lengthText(host.uptime_seconds * 1000)],
    [
      t('Nines'),
      status.data === undefined
        ? ''
        : t('{version}, up {length}', { version: status.data.version, length: lengthText(status.data.uptime_ms) }),
    ],
  ];
  return (
    <dl className="panel facts">
      {facts
        .filter(([, fact]) => fact !== '')
        .map(([word, fact]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
    </dl>
  );
}
