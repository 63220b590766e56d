import { Link } from '@tanstack/react-router';
import type { ServiceView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Since } from '../components/instant.tsx';
import { windowText } from '../figures/length.ts';
import { byName } from '../figures/list.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { StateMark } from '../states/state-mark.tsx';
import { steadiness } from '../states/words.ts';
import { MiniTimeline, sharedStretchMs } from '../timeline/mini-timeline.tsx';
import { whyText } from './sentences.ts';

const ORDER: Readonly<Record<string, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };

/** Worst state first, then by name. */
export function byTrouble(a: ServiceView, b: ServiceView): number {
  return (ORDER[a.state] ?? 9) - (ORDER[b.state] ?? 9) || byName(a.name, b.name);
}

const NAME: Column<ServiceView> = {
  id: 'name',
  header: t('Service'),
  cell: (service) => (
    <Link to="/services/$id" params={{ id: service.id }} className="row-name" data-row="">
      {service.name}
    </Link>
  ),
};
const STATE: Column<ServiceView> = {
  id: 'state',
  header: t('State'),
  cell: (service) => <StateMark state={service.state} word={steadiness(service.state, service.flapping)} />,
};
const SINCE: Column<ServiceView> = {
  id: 'since',
  header: t('Since'),
  label: t('since'),
  cell: (service) => <Since atMs={service.since_at_ms} />,
};
const strips = (lengthMs: number): Column<ServiceView> => ({
  id: 'strip',
  header: t('Last {length}', { length: windowText(lengthMs) }),
  cell: (service) => <MiniTimeline service={service.id} lengthMs={lengthMs} />,
});
const WHY: Column<ServiceView> = { id: 'why', header: t('Why'), cell: whyText };
const OWNER: Column<ServiceView> = { id: 'owner', header: t('Owner'), label: t('owner'), cell: (service) => service.owner };
const CHECKS: Column<ServiceView> = {
  id: 'checks',
  header: t('Checks'),
  label: t('checks'),
  numeric: true,
  cell: (service) => service.check_count,
};

/** Services with their state and their last day. */
export function ServicesTable({ services, brief = false }: { readonly services: readonly ServiceView[]; readonly brief?: boolean }) {
  const now = useNowStep(60_000);
  const columns = [NAME, STATE, strips(sharedStretchMs(services, now)), SINCE, ...(brief ? [] : [WHY, OWNER, CHECKS])];
  return (
    <div className="panel">
      <DataTable
        caption={t('Services with their states')}
        columns={columns}
        rows={[...services].sort(byTrouble)}
        rowKey={(service) => service.id}
      />
    </div>
  );
}
