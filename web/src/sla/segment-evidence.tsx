import { CloseButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { SegmentView, SlaView } from '../api/wire.ts';
import { QueryChart } from '../charts/query-chart.tsx';
import { Instant } from '../components/instant.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { t, rich } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { phrase, unknownWhy } from '../states/words.ts';
import { countedText, markOf } from '../timeline/counted.ts';
import { SeenTable, boundsText } from '../timeline/evidence.tsx';

type Props = { readonly sla: SlaView; readonly segment: SegmentView; readonly onClose: () => void };

/** Everything that decided how one stretch counts: the state with who saw it, and what took it out. */
export function SegmentEvidence({ sla, segment, onClose }: Props) {
  return (
    <div className="evidence panel" role="region" aria-label={t('Evidence of the chosen interval')}>
      <div className="section-head">
        <h3>
          <StateMark state={markOf(segment)} />
          <span className="soft">{` ${t('for {length}', { length: lengthText(segment.to_at_ms - segment.from_at_ms) })}, ${countedText(segment)}`}</span>
        </h3>
        <CloseButton size="sm" aria-label={t('Close the evidence')} onClick={onClose} />
      </div>
      <dl className="evidence-facts">
        <dt>{t('From')}</dt>
        <dd>{preciseInstant(segment.from_at_ms)}</dd>
        <dt>{t('To')}</dt>
        <dd>{preciseInstant(segment.to_at_ms)}</dd>
        {segment.from_bounds_at_ms === undefined ? null : (
          <>
            <dt>{t('True start')}</dt>
            <dd>{boundsText(segment.from_bounds_at_ms)}</dd>
          </>
        )}
        {segment.overlay === null ? null : (
          <>
            <dt>{t('State below')}</dt>
            <dd>
              <StateMark state={segment.state} />
            </dd>
          </>
        )}
        {segment.state === 'unknown' ? (
          <>
            <dt>{t('Unknown because')}</dt>
            <dd>{unknownWhy(segment.unknown_reason)}</dd>
          </>
        ) : null}
        <Causes sla={sla} segment={segment} />
      </dl>
      <SeenTable evidence={segment.evidence ?? []} />
      {sla.indicator.kind === 'availability' ? null : <Measured sla={sla} segment={segment} />}
    </div>
  );
}

/** What people did about this time: the exclusion, the maintenance, the outage's reason. Each leads to its own page. */
function Causes({ sla, segment }: Pick<Props, 'sla' | 'segment'>) {
  const { exclusion, maintenance, downtime } = segment;
  return (
    <>
      {exclusion === null ? null : (
        <>
          <dt>{t('Exclusion')}</dt>
          <dd>
            {rich('{reason}: asked by {asker}, approved by {approver} at {at}', {
              reason: (
                <Link to="/slas/$id/exclusions" params={{ id: sla.id }} search={{ exclusion: exclusion.id }}>
                  {phrase(exclusion.reason)}
                </Link>
              ),
              asker: exclusion.requested_by,
              approver: exclusion.approved_by,
              at: <Instant atMs={exclusion.approved_at_ms} relative={false} />,
            })}
          </dd>
        </>
      )}
      {maintenance === null ? null : (
        <>
          <dt>{t('Maintenance')}</dt>
          <dd>
            {rich('{name}, announced {at}', {
              name: <Link to="/maintenance">{maintenance.name}</Link>,
              at: <Instant atMs={maintenance.announced_at_ms} relative={false} />,
            })}
            {segment.excluded_by === 'maintenance' ? null : (
              <span className="faint">{` · ${t('the contract does not take this time out')}`}</span>
            )}
          </dd>
        </>
      )}
      {downtime === null ? null : (
        <>
          <dt>{t('Outage')}</dt>
          <dd>
            <Link to="/services/$id" params={{ id: sla.service }} search={{ downtime: downtime.id }}>
              {phrase(downtime.reason)}
            </Link>
            {`, ${downtime.revision === 1 ? t('as it was recorded') : t('revision {revision} by a person', { revision: downtime.revision })}`}
            {downtime.note === '' ? null : <span className="soft">{`: ${downtime.note}`}</span>}
          </dd>
        </>
      )}
    </>
  );
}

/** Slices on both sides of the stretch in the chart of what was measured. */
const MARGIN_SLICES = 3;

function Measured({ sla, segment }: Pick<Props, 'sla' | 'segment'>) {
  const { indicator, objective } = sla;
  if (indicator.kind === 'availability') return null;
  const margin = MARGIN_SLICES * indicator.slice_ms;
  const threshold = { value: objective.value, name: t('objective {op} {value}', { op: objective.op, value: objective.value }) };
  return (
    <QueryChart
      title={t('What was measured')}
      kind={objective.unit === 'seconds' ? 'seconds' : 'number'}
      view={{ fromMs: segment.from_at_ms - margin, toMs: segment.to_at_ms + margin }}
      queries={[{ expr: indicator.query }]}
      writtenEveryMs={1_000}
      thresholds={[threshold]}
      empty={t('The samples of this time are not kept any more, or there were none.')}
    />
  );
}
