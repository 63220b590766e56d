import { type RecoveryFigures, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import type { Bounds } from '../api/wire.ts';
import { lengthText, windowText } from '../figures/length.ts';
import { targetText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { ProvenDigits, Target } from './proven-digits.tsx';

type Props = {
  readonly of: RecoveryFigures & { readonly attained: number | null; readonly attained_bounds: Bounds | null };
  readonly size?: 'large' | 'text';
};

/** What a contract attained, in its own unit: a percentage with the digits that are proven, or a mean time to recovery. */
export function Attained({ of, size = 'text' }: Props) {
  const recovery = recoveryFigures(of);
  if (recovery === undefined) return <ProvenDigits attained={of.attained} bounds={of.attained_bounds} size={size} />;
  const name = size === 'large' ? 'proven proven-large' : 'proven';
  if (recovery.meanMs === null) return <span className={`${name} faint`}>{t('no outage')}</span>;
  return <span className={`${name} nowrap`}>{lengthText(recovery.meanMs)}</span>;
}

/** `target ≥ 99.9 %`, or `target ≤ 15 min in the mean`. */
export function PromisedTarget({ of }: { readonly of: RecoveryFigures }) {
  const recovery = recoveryFigures(of);
  if (recovery === undefined) return <Target op=">=" target={of.target} />;
  return <span className="nowrap faint">{t('target ≤ {length} in the mean', { length: windowText(recovery.withinMs) })}</span>;
}

/** A target in a column that says what it is. */
export function targetCell(of: RecoveryFigures): string {
  const recovery = recoveryFigures(of);
  return recovery === undefined ? t('{figure} %', { figure: targetText(of.target) }) : `≤ ${windowText(recovery.withinMs)}`;
}
