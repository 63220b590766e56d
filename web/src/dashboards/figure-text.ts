/** Figures of panels as text in the language of the page; the drawings on paper have the same in English. */
import {
  type Cells,
  type ChartSeries,
  type Threshold,
  hoursByWeekdays,
  unitQuantity as plainQuantity,
} from '@nines/maths/dashboards/figures.ts';
import { LOCALE } from '../figures/instant.ts';
import { decimalText } from '../figures/percent.ts';
import { type Quantity, type UnitKind, quantity } from '../figures/quantity.ts';
import { t } from '../language/t.ts';

/** A value in its unit, with as many decimals as asked. */
export function unitQuantity(value: number, unit: UnitKind, decimals?: number): Quantity {
  if (decimals === undefined) return quantity(value, unit);
  const { number, unit: name } = plainQuantity(value, unit, decimals);
  return { number: decimalText(number), unit: name };
}

export function unitText(value: number, unit: UnitKind, decimals?: number): string {
  const { number, unit: name } = unitQuantity(value, unit, decimals);
  return name === '' ? number : `${number} ${name}`;
}

/** `critical from 95 %`, or what the limit is called. */
export function limitText({ at, severity, side, name }: Threshold, unit: UnitKind): string {
  const limit = unitText(at, unit);
  if (name !== undefined && name !== '') return `${name} ${limit}`;
  if (side === 'above') return severity === 'critical' ? t('critical from {limit}', { limit }) : t('warning from {limit}', { limit });
  return severity === 'critical' ? t('critical up to {limit}', { limit }) : t('warning up to {limit}', { limit });
}

/** What the slices are called that share one. */
export const othersText = (count: number): string => t('{count, plural, one {# other} other {# others}}', { count });

const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: 'long', timeZone: 'UTC' });
/** A Sunday; the rows go back from it, so that Monday stands on top. */
const SUNDAY_MS = Date.UTC(2026, 0, 4);
const DAY_MS = 86_400_000;

/** The mean of each hour of each weekday, by the reader's clock. */
export function weekOf(series: readonly ChartSeries[]): Cells {
  const cells = hoursByWeekdays(series);
  return { ...cells, rows: cells.rows.map((_, row) => weekday.format(SUNDAY_MS + ((7 - row) % 7) * DAY_MS)) };
}
