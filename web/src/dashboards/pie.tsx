import { seriesColour } from '../charts/plot-options.ts';
import { decimalText } from '../figures/percent.ts';
import { slicesOf } from '@nines/maths/dashboards/figures.ts';
import { othersText } from './figure-text.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly parts: readonly {
    readonly name: string;
    readonly value: number;
    readonly colour?: string | undefined;
    readonly isRest?: boolean;
  }[];
  readonly hollow: boolean;
  readonly text: (value: number) => string;
  readonly title: string;
};

const RADIUS = 46;
const HOLE = 28;
/** What is left over has no colour of its own. */
const REST = 'var(--line-strong)';

function slicePath(from: number, to: number, hollow: boolean): string {
  const point = (share: number, radius: number) =>
    `${(50 + radius * Math.sin(2 * Math.PI * share)).toFixed(3)} ${(50 - radius * Math.cos(2 * Math.PI * share)).toFixed(3)}`;
  // A whole circle has no end of its own.
  const end = to - from >= 1 ? from + 0.9999 : to;
  const large = end - from > 0.5 ? 1 : 0;
  const outer = `M ${point(from, RADIUS)} A ${RADIUS} ${RADIUS} 0 ${large} 1 ${point(end, RADIUS)}`;
  return hollow ? `${outer} L ${point(end, HOLE)} A ${HOLE} ${HOLE} 0 ${large} 0 ${point(from, HOLE)} Z` : `${outer} L 50 50 Z`;
}

/** Shares of a whole, at most six, each with its name, value and share in words beside it. */
export function PieChart({ parts, hollow, text, title }: Props) {
  const left = new Set(parts.flatMap(({ name, isRest }) => (isRest === true ? [name] : [])));
  // What is left over comes last, however much it is.
  const slices = slicesOf(parts, othersText).toSorted((a, b) => Number(left.has(a.name)) - Number(left.has(b.name)));
  const colours = new Map(parts.map(({ name, colour }) => [name, colour]));
  if (slices.length === 0) return <p className="chart-empty">{t('All values are zero: there are no shares.')}</p>;
  let from = 0;
  const drawn = slices.map((slice) => {
    const path = slicePath(from, from + slice.share, hollow);
    from += slice.share;
    return { ...slice, path, colour: left.has(slice.name) ? REST : (colours.get(slice.name) ?? seriesColour(slice.hue)) };
  });
  return (
    <div className="pie">
      <svg viewBox="0 0 100 100" role="img" aria-label={`${title}: ${drawn.map(({ name, value }) => `${name} ${text(value)}`).join(', ')}`}>
        {drawn.map(({ name, path, colour }) => (
          <path key={name} d={path} fill={colour} stroke="var(--surface)" strokeWidth="1">
            <title>{name}</title>
          </path>
        ))}
      </svg>
      <ul className="pie-names">
        {drawn.map(({ name, value, share, colour }) => (
          <li key={name}>
            <i style={{ background: colour }} />
            <span className="wrap">{name}</span>
            <b>{text(value)}</b>
            <span className="faint">{t('{figure} %', { figure: decimalText((share * 100).toFixed(share < 0.1 ? 1 : 0)) })}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
