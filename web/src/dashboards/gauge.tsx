import type { PanelOf } from '../api/dashboards.ts';
import { StateShape } from '../states/state-mark.tsx';
import { crossed } from '@nines/maths/dashboards/figures.ts';
import { t } from '../language/t.ts';
import { limitText, unitQuantity, unitText } from './figure-text.ts';

/** Of a circle, open below; degrees clockwise from its lowest point. */
const FROM_DEG = 45;
const SWEEP_DEG = 270;
const R = 42;

const at = (share: number, radius: number): string => {
  const angle = ((FROM_DEG + SWEEP_DEG * share) * Math.PI) / 180;
  return `${(50 - radius * Math.sin(angle)).toFixed(2)} ${(50 + radius * Math.cos(angle)).toFixed(2)}`;
};
const arc = (from: number, to: number): string => `M ${at(from, R)} A ${R} ${R} 0 ${(to - from) * SWEEP_DEG > 180 ? 1 : 0} 1 ${at(to, R)}`;

type Props = {
  readonly name: string;
  readonly value: number;
  readonly panel: PanelOf<'gauge'>;
  readonly named: boolean;
  readonly height: number;
};

/** One value between the least and the most, with its limits as ticks. */
export function GaugeArc({ name, value, panel, named, height }: Props) {
  const { unit, decimals, thresholds } = panel;
  const min = panel.min ?? 0;
  const natural = unit === 'percent' ? 100 : unit === 'ratio' ? 1 : Math.max(value, ...thresholds.map((one) => one.at)) * 1.25;
  const max = Math.max(panel.max ?? natural, min + Number.EPSILON);
  const shareOf = (one: number) => Math.min(1, Math.max(0, (one - min) / (max - min || 1)));
  const figure = unitQuantity(value, unit, decimals);
  const limit = crossed(value, thresholds);
  const words = `${t('{name}: {value} of {most}', { name, value: unitText(value, unit, decimals), most: unitText(max, unit, decimals) })}${limit === undefined ? '' : `, ${limitText(limit, unit)}`}`;
  return (
    <figure className="gauge" style={{ height }}>
      <svg viewBox="0 0 100 92" role="img" aria-label={words}>
        <path d={arc(0, 1)} className="gauge-track" />
        {value > min ? <path d={arc(0, Math.max(0.004, shareOf(value)))} className={`gauge-value ${limit?.severity ?? ''}`} /> : null}
        {thresholds.map((one) => (
          <path
            key={`${one.at} ${one.severity}`}
            d={`M ${at(shareOf(one.at), R - 6)} L ${at(shareOf(one.at), R + 6)}`}
            className="gauge-limit"
          />
        ))}
        <text x="50" y="54" className="gauge-number">
          {figure.number}
        </text>
        <text x="50" y="66" className="gauge-unit">
          {figure.unit}
        </text>
      </svg>
      <figcaption className="small">
        {named ? <span className="wrap">{name}</span> : null}
        {limit === undefined ? null : (
          <span className="mark">
            <StateShape state={limit.severity === 'critical' ? 'down' : 'degraded'} />
            {limitText(limit, unit)}
          </span>
        )}
      </figcaption>
    </figure>
  );
}
