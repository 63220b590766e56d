import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { alertCountsQuery } from '../api/alerts.ts';
import { mayIn } from '../api/permits.ts';
import { instantQuery } from '../api/prometheus.ts';
import { hostQuery } from '../api/queries.ts';
import type { HostWire } from '../api/wire.ts';
import { type NamedQuery, QueryChart } from '../charts/query-chart.tsx';
import { Waiting } from '../components/notices.tsx';
import { decimalText } from '../figures/percent.ts';
import { type Quantity, type UnitKind, percentQuantity, quantity, quantityText } from '../figures/quantity.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { useSession } from '../shell/session.tsx';

const HOUR_MS = 3_600_000;
/** The host is measured every 15 s. */
const HOST_EVERY_MS = 15_000;

/** The queries of this host's cards; `instance` is what the host calls itself in its own series. */
function hostQueries(instance: string): Readonly<Record<'cpu' | 'memory' | 'disk' | 'network', readonly NamedQuery[]>> {
  const of = `instance=${JSON.stringify(instance)}`;
  return {
    cpu: [{ name: t('CPU'), expr: `100 * (1 - avg(rate(node_cpu_seconds_total{${of},mode="idle"}[1m])))` }],
    memory: [{ name: t('Memory'), expr: `100 * (1 - node_memory_MemAvailable_bytes{${of}} / node_memory_MemTotal_bytes{${of}})` }],
    disk: [
      {
        name: t('Disk'),
        expr: `max(100 * (1 - node_filesystem_avail_bytes{${of},mountpoint="/"} / node_filesystem_size_bytes{${of},mountpoint="/"}))`,
      },
    ],
    network: [
      { name: t('Received'), expr: `sum(rate(node_network_receive_bytes_total{${of},device!="lo"}[1m]))` },
      { name: t('Sent'), expr: `sum(rate(node_network_transmit_bytes_total{${of},device!="lo"}[1m]))` },
    ],
  };
}
/** The fullest file system of the host. */
function fullest(disks: HostWire['disk']): HostWire['disk'][number] | undefined {
  return disks.reduce<HostWire['disk'][number] | undefined>(
    (worst, disk) => (disk.percent > (worst?.percent ?? -1) ? disk : worst),
    undefined,
  );
}

/** The host's own figures with their last hour: there without any configuration. */
export function HostCards() {
  const host = useQuery(hostQuery());
  const instance = host.data?.instance ?? '';
  const queries = useMemo(() => hostQueries(instance), [instance]);
  if (host.data === undefined) return <Waiting query={host} what={t("the host's figures")} />;
  const { cpu, memory, disk, network, load } = host.data;
  const worst = fullest(disk);
  return (
    <div className="panel host">
      <Card
        name={t('CPU')}
        value={percentOf(cpu.percent)}
        kind="percent"
        queries={queries.cpu}
        detail={cpuDetail(cpu.cores.length, load['1m'])}
      />
      <Card name={t('Memory')} value={percentOf(memory.percent)} kind="percent" queries={queries.memory} detail={ofTotal(memory)} />
      <Card
        name={t('Disk')}
        value={percentOf(worst?.percent)}
        kind="percent"
        queries={queries.disk}
        detail={worst === undefined ? '' : `${ofTotal(worst)}, ${worst.mount}`}
      />
      <Card
        name={t('Network')}
        value={rateOf(network.receive_bytes_per_second)}
        kind="bytes_per_second"
        queries={queries.network}
        detail={t('received; sent {rate}', { rate: textOf(network.transmit_bytes_per_second) })}
      />
      <GpuCard />
      <AlertCard />
    </div>
  );
}

/** The load of the busiest GPU by whatever tells it: dcgm-exporter, nvidia_gpu_exporter, node_exporter. */
const GPU_PERCENT =
  'max(DCGM_FI_DEV_GPU_UTIL or 100 * nvidia_smi_utilization_gpu_ratio or node_drm_gpu_busy_percent or nvidia_gpu_duty_cycle)';
const GPU: readonly NamedQuery[] = [{ name: 'GPU', expr: GPU_PERCENT }];

function GpuCard() {
  const { data } = useQuery({
    queryKey: ['host', 'gpu'],
    queryFn: ({ signal }) => instantQuery({ expr: GPU_PERCENT }, signal),
    refetchInterval: HOST_EVERY_MS,
  });
  const percent = data?.[0]?.points[0]?.[1];
  return (
    <Card
      name={t('GPU')}
      value={percentOf(percent)}
      kind="percent"
      queries={GPU}
      detail={percent === undefined ? t('nothing tells of one') : t('the busiest')}
      empty={t('Scrape dcgm-exporter, nvidia_gpu_exporter or node_exporter.')}
    />
  );
}

const FIRING: readonly NamedQuery[] = [{ name: t('Alerts'), expr: 'count(ALERTS{alertstate="firing"})' }];

function AlertCard() {
  const counts = useQuery(alertCountsQuery({}));
  const may = mayIn(useSession(), 'read', 'alerts');
  if (!may) return null;
  const { firing } = counts.data ?? {};
  return (
    <Card
      name={t('Alerts')}
      value={firing === undefined ? null : { number: String(firing), unit: t('firing') }}
      kind="number"
      queries={FIRING}
      detail={<Link to="/alerts-dashboard">{t('to the inbox')}</Link>}
      // The line is written at each evaluation of the rules: right after the first alert there is a figure and no line yet.
      empty={firing === undefined || firing > 0 ? t('The first values are on their way.') : t('None fired in this hour.')}
    />
  );
}

function cpuDetail(cores: number, load: number | null): string {
  const parts = [
    cores === 0 ? '' : t('{cores, plural, one {# core} other {# cores}}', { cores }),
    load === null ? '' : t('load {load}', { load: decimalText(load.toFixed(2)) }),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function ofTotal({
  used_bytes: used,
  total_bytes: total,
}: {
  readonly used_bytes: number | null;
  readonly total_bytes: number | null;
}): string {
  return used === null || total === null
    ? ''
    : t('{used} of {total}', { used: quantityText(used, 'bytes'), total: quantityText(total, 'bytes') });
}

const percentOf = (value: number | null | undefined): Quantity | null =>
  value === null || value === undefined ? null : percentQuantity(value);
const rateOf = (value: number | null | undefined): Quantity | null =>
  value === null || value === undefined ? null : quantity(value, 'bytes_per_second');
const textOf = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : quantityText(value, 'bytes_per_second');

type CardProps = {
  readonly name: string;
  readonly value: Quantity | null;
  readonly kind: UnitKind;
  readonly detail: ReactNode;
  readonly queries: readonly NamedQuery[];
  /** What stands in place of the line while there is none. */
  readonly empty?: string;
};

function Card({ name, value, kind, detail, queries, empty = t('The first values are on their way.') }: CardProps) {
  const toMs = useNowStep(HOST_EVERY_MS);
  return (
    <div className="host-card">
      <h3 className="label">{name}</h3>
      <div className="host-figure">
        {value === null ? (
          <span className="faint">–</span>
        ) : (
          <>
            {value.number}
            <small>{` ${value.unit}`}</small>
          </>
        )}
      </div>
      <div className="host-detail">{detail}</div>
      <QueryChart
        title={t('{name}, last hour', { name })}
        kind={kind}
        view={{ fromMs: toMs - HOUR_MS, toMs }}
        queries={queries}
        writtenEveryMs={HOST_EVERY_MS}
        compact
        fit
        empty={empty}
      />
    </div>
  );
}
