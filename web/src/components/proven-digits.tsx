import { Tooltip } from '@mantine/core';
import { provenDigits } from '@nines/maths/slo/digits.ts';
import { PERCENT, decimalText, percentText, targetText } from '../figures/percent.ts';
import type { Bounds } from '../api/wire.ts';
import { t } from '../language/t.ts';

/** Decimals at which the two ends of the bounds are told apart in words. */
const SPOKEN_DECIMALS = 4;

const UNPROVEN_DECIMALS = 2;

type Props = {
  /** 0 to 1; null when nothing was counted. */
  readonly attained: number | null;
  /** Null when it is not known how exact the figure is: then no digit counts as proven. */
  readonly bounds: Bounds | null;
  readonly size?: 'large' | 'text';
};

/**
 * An attained figure with the digits its evidence supports; the digit in doubt is faint. Truncated, never rounded up.
 * The bounds stand in the tooltip and in the text for screen readers.
 */
export function ProvenDigits({ attained, bounds, size = 'text' }: Props) {
  const name = size === 'large' ? 'proven proven-large' : 'proven';
  if (attained === null) return <span className={`${name} faint`}>{t('no counted time')}</span>;
  const { proven, doubtful } =
    bounds === null ? { proven: '', doubtful: percentText(attained, UNPROVEN_DECIMALS) } : provenDigits(attained, bounds);
  const label = boundsText(bounds);
  return (
    <Tooltip label={label}>
      <span className={name}>
        <span aria-hidden="true">
          {decimalText(proven)}
          {doubtful === '' ? null : <em>{decimalText(doubtful)}</em>}
          <small>{PERCENT}</small>
        </span>
        <span className="sr-only">{t('{figure} percent; {bounds}', { figure: decimalText(`${proven}${doubtful}`), bounds: label })}</span>
      </span>
    </Tooltip>
  );
}

function boundsText(bounds: Bounds | null): string {
  if (bounds === null) return t('how exact this is lies beyond the outages listed here');
  const [low, high] = bounds;
  const lowText = percentText(low, SPOKEN_DECIMALS);
  const highText = percentText(high, SPOKEN_DECIMALS);
  if (lowText === highText) return t('proven to {decimals} decimals: {figure} %', { decimals: SPOKEN_DECIMALS, figure: lowText });
  return t('the evidence allows {low} % to {high} %', { low: lowText, high: highText });
}

/** `≥ 99.9 %` as people write a target. */
export function Target({ op, target }: { readonly op: string; readonly target: number }) {
  return (
    <span className="nowrap faint">
      {t('target {op} {target} %', { op: op.replace('>=', '≥').replace('<=', '≤'), target: targetText(target) })}
    </span>
  );
}
