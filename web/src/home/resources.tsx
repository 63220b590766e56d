import { useQuery } from '@tanstack/react-query';
import { hostQuery } from '../api/queries.ts';
import { quantityText } from '../figures/quantity.ts';
import { t } from '../language/t.ts';

const RADIUS = 40;
const AROUND = 2 * Math.PI * RADIUS;

type Parts = { readonly name: string; readonly share: number; readonly first: string; readonly rest: string };

/** How much of each resource of this host is taken: a ring each, with both parts in words. */
export function Resources() {
  const { data: host } = useQuery(hostQuery());
  if (host === undefined) return null;
  const { cpu, memory, disk, network } = host;
  const fullest = disk.toSorted((a, b) => b.percent - a.percent)[0];
  const { receive_bytes_per_second: received, transmit_bytes_per_second: sent } = network;
  const rings: readonly (Parts | undefined)[] = [
    cpu.percent === null
      ? undefined
      : {
          name: t('CPU'),
          share: cpu.percent / 100,
          first: t('{percent} busy', { percent: percentText(cpu.percent) }),
          rest: t('{percent} idle', { percent: percentText(100 - cpu.percent) }),
        },
    sized(t('Memory'), memory),
    fullest === undefined ? undefined : sized(t('Storage, {mount}', { mount: fullest.mount }), fullest),
    received === null || sent === null || received + sent === 0
      ? undefined
      : {
          name: t('Network'),
          share: received / (received + sent),
          first: t('{rate} received', { rate: rateText(received) }),
          rest: t('{rate} sent', { rate: rateText(sent) }),
        },
  ];
  return <div className="panel rings">{rings.map((ring) => (ring === undefined ? null : <Ring key={ring.name} {...ring} />))}</div>;
}

const percentText = (percent: number): string => quantityText(percent, 'percent');
const rateText = (rate: number): string => quantityText(rate, 'bytes_per_second');

function sized(
  name: string,
  { used_bytes: used, total_bytes: total }: { readonly used_bytes: number | null; readonly total_bytes: number | null },
): Parts | undefined {
  if (used === null || total === null || total === 0) return undefined;
  const text = (bytes: number) => quantityText(bytes, 'bytes');
  return {
    name,
    share: used / total,
    first: t('{bytes} used', { bytes: text(used) }),
    rest: t('{bytes} free', { bytes: text(total - used) }),
  };
}

function Ring({ name, share, first, rest }: Parts) {
  const taken = Math.min(Math.max(share, 0), 1) * AROUND;
  return (
    <figure className="ring">
      <svg viewBox="0 0 100 100" role="img" aria-label={`${name}: ${first}, ${rest}`}>
        <circle cx="50" cy="50" r={RADIUS} fill="none" stroke="var(--line)" strokeWidth="14" />
        <circle
          cx="50"
          cy="50"
          r={RADIUS}
          fill="none"
          stroke="var(--series-1)"
          strokeWidth="14"
          strokeDasharray={`${taken} ${AROUND - taken}`}
          transform="rotate(-90 50 50)"
        />
      </svg>
      <figcaption>
        <b>{name}</b>
        <span>{first}</span>
        <span className="faint">{rest}</span>
      </figcaption>
    </figure>
  );
}
