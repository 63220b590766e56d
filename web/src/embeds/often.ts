/** How often something is sent, as people choose it and as cron writes it. Pure. */
import { t } from '../language/t.ts';

export type Often = 'day' | 'week' | 'month';

/** Sunday is 0. */
export const WEEKDAYS: readonly string[] = [
  t('Sunday'),
  t('Monday'),
  t('Tuesday'),
  t('Wednesday'),
  t('Thursday'),
  t('Friday'),
  t('Saturday'),
];

export type Choice = { readonly often: Often; readonly weekday: number /** `07:30`. */; readonly time: string };

export function cronOf({ often, weekday, time }: Choice): string {
  const [hour = '7', minute = '0'] = time.split(':');
  const at = `${Number(minute)} ${Number(hour)}`;
  if (often === 'week') return `${at} * * ${weekday}`;
  return often === 'month' ? `${at} 1 * *` : `${at} * * *`;
}

/** In words what `cronOf` writes; any other expression as it is. */
export function whenOf(cron: string): string {
  const [, minute, hour, day, weekday] = /^(\d+) (\d+) (\*|1) \* (\*|[0-6])$/.exec(cron) ?? [];
  if (minute === undefined || hour === undefined || (day === '1' && weekday !== '*')) return cron;
  const at = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '1') return t('On the first of each month at {at}', { at });
  return weekday === '*' ? t('Every day at {at}', { at }) : t('{weekday}s at {at}', { weekday: WEEKDAYS[Number(weekday)] ?? '', at });
}
