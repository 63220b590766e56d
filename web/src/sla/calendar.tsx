import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import type { DayView } from '../api/wire.ts';
import { LOCALE } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { percentText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { Hatch, StateMark } from '../states/state-mark.tsx';
import { dayFigure, weeksOf, worstWords } from './day-grid.ts';

const dayName = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayMonth = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const weekdayName = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', timeZone: 'UTC' });
/** Any Monday. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const WEEKDAYS = Array.from({ length: 7 }, (_, day) => weekdayName.format(MONDAY_MS + day * 86_400_000));

type Props = { readonly sla: string; readonly days: readonly DayView[]; readonly chosen: string | undefined };

/**
 * The days of an SLA: a square carries its worst state and how long it was bad; it leads to the day's time line. With the keyboard
 * the arrows walk the days and Enter opens one.
 */
export function Calendar({ sla, days, chosen }: Props) {
  const grid = useRef<HTMLTableElement>(null);
  const [focus, setFocus] = useState<string | undefined>(undefined);
  const last = days.at(-1)?.name;
  const stop = [focus, chosen, last].find((name) => days.some((day) => day.name === name));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -days.length, End: days.length }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const at = Math.min(days.length - 1, Math.max(0, days.findIndex(({ name }) => name === stop) + step));
    const next = days[at]?.name;
    setFocus(next);
    grid.current?.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus();
  };
  return (
    <div>
      <table className="calendar" ref={grid} onKeyDown={onKeyDown}>
        <caption className="sr-only">{t('Days: the arrows walk them, Enter shows one')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="sr-only">{t('Week of')}</span>
            </th>
            {WEEKDAYS.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(days).map(({ monday, days: places }) => (
            <tr key={monday}>
              <th scope="row">{dayMonth.format(Date.parse(monday))}</th>
              {places.map((day, place) => (
                <td key={WEEKDAYS[place]}>
                  {day === null ? null : <Day sla={sla} day={day} isStop={day.name === stop} isChosen={day.name === chosen} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="legend">
        <StateMark state="up" word={t('Kept')} />
        <StateMark state="degraded" />
        <StateMark state="down" word={t('Bad, with how long')} />
        <StateMark state="unknown" />
        <StateMark state="excluded" word={t('Nothing promised')} />
      </div>
    </div>
  );
}

type DayProps = { readonly sla: string; readonly day: DayView; readonly isStop: boolean; readonly isChosen: boolean };

function Day({ sla, day, isStop, isChosen }: DayProps) {
  const hatch = useId();
  const figure = dayFigure(day);
  const kept = day.attained === null ? t('nothing counted') : t('{figure} % attained', { figure: percentText(day.attained, 3) });
  const bad = day.bad_ms === 0 ? [] : [t('bad for {length}', { length: lengthText(day.bad_ms) })];
  const words = `${dayName.format(Date.parse(day.name))}: ${[worstWords(day.worst), ...bad, kept].join(', ')}`;
  const hatched = day.worst === 'unknown' ? 'var(--hatch)' : day.worst === 'excluded' ? 'var(--maintenance)' : null;
  return (
    <Link
      to="/slas/$id"
      params={{ id: sla }}
      search={{ day: day.name, from: day.from_at_ms, to: day.to_at_ms }}
      hash="timeline"
      resetScroll={false}
      data-day={day.name}
      tabIndex={isStop ? 0 : -1}
      aria-current={isChosen ? 'date' : undefined}
      aria-label={words}
      title={words}
      className={`calendar-day calendar-${day.worst}`}
    >
      {hatched === null ? null : (
        <svg aria-hidden="true">
          <Hatch id={hatch} colour={hatched} />
          <rect width="100%" height="100%" fill={`url(#${hatch})`} />
        </svg>
      )}
      <span>{figure === '' ? day.name.slice(8).replace(/^0/, '') : figure}</span>
    </Link>
  );
}
