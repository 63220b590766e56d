import { CloseButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Bounds, IntervalView } from '../api/wire.ts';
import { preciseInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { unknownWhy } from '../states/words.ts';

/** `≤ 1 s apart` in words: how exactly the instant is known. */
export function boundsText(bounds: Bounds | null | undefined): string {
  if (bounds === null || bounds === undefined) return t('exact');
  const [low, high] = bounds;
  return low === high
    ? t('exact')
    : t('between {from} and {to} ({length})', { from: preciseInstant(low), to: preciseInstant(high), length: lengthText(high - low) });
}

/** The check that saw it, with its service in a composite; what another monitor saw says so. */
function whoSaw({ service, check, import: importId }: NonNullable<IntervalView['evidence']>[number]): string {
  const who = importId === undefined ? check : t('{check} (imported)', { check });
  return service === undefined ? who : `${service} › ${who}`;
}

/** Everything the ledger keeps about one interval: its exact ends, how well they are known, and what was seen. */
export function Evidence({ interval, onClose }: { readonly interval: IntervalView; readonly onClose: () => void }) {
  const evidence = interval.evidence ?? [];
  return (
    <div className="evidence panel" role="region" aria-label={t('Evidence of the chosen interval')}>
      <div className="section-head">
        <h3>
          <StateMark state={interval.state} />
          <span className="soft">{` ${t('for {length}', { length: lengthText(interval.to_at_ms - interval.from_at_ms) })}`}</span>
        </h3>
        <CloseButton size="sm" aria-label={t('Close the evidence')} onClick={onClose} />
      </div>
      <dl className="evidence-facts">
        <dt>{t('From')}</dt>
        <dd>{preciseInstant(interval.from_at_ms)}</dd>
        <dt>{t('To')}</dt>
        <dd>{preciseInstant(interval.to_at_ms)}</dd>
        <dt>{t('True start')}</dt>
        <dd>{boundsText(interval.from_bounds_at_ms)}</dd>
        {interval.state === 'unknown' ? (
          <>
            <dt>{t('Because')}</dt>
            <dd>{unknownWhy(interval.unknown_reason)}</dd>
          </>
        ) : null}
      </dl>
      <SeenTable evidence={evidence} />
    </div>
  );
}

/** What checks saw; each instant leads to the results around it. */
export function SeenTable({ evidence }: { readonly evidence: NonNullable<IntervalView['evidence']> }) {
  if (evidence.length === 0) return null;
  return (
    <div className="table-scroll" role="region" aria-label={t('What checks saw')} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('Check')}</th>
            <th>{t('Seen at')}</th>
            <th>{t('What was seen')}</th>
          </tr>
        </thead>
        <tbody>
          {evidence.map((one) => (
            <tr key={`${one.service ?? ''}-${one.check}-${one.at_ms}`}>
              <td className="mono">{whoSaw(one)}</td>
              <td className="nowrap">
                {one.import === undefined ? (
                  <Link to="/checks/$id" params={{ id: one.check }} search={{ at: one.at_ms }}>
                    {preciseInstant(one.at_ms)}
                  </Link>
                ) : (
                  preciseInstant(one.at_ms)
                )}
              </td>
              <td className="wrap">{one.detail === '' ? '–' : fromServer(one.detail)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
