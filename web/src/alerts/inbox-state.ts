/** The inbox as a list of which only parts were read, and that changes alert by alert: what a page and a fact do to it. Pure. */
import type { AlertView } from '../api/wire.ts';
import { SEVERITY_ORDER } from '../states/words.ts';

/** `total`: how many there are, where the page was asked for by its place. */
export type AlertPage = { readonly items: readonly AlertView[]; readonly next?: string | null; readonly total?: number };

export type OpenList = {
  /** As many as there are, the most urgent first; those that were not read yet are undefined. */
  readonly rows: readonly (AlertView | undefined)[];
  /** Every alert that was read, wherever it stands now: what was chosen stays chosen when the list is read again. */
  readonly read: ReadonlyMap<string, AlertView>;
};

/** What the server has from `offset` on, and how long its list is. */
export type Stretch = { readonly offset: number; readonly items: readonly AlertView[]; readonly total: number };

const NONE: OpenList = { rows: [], read: new Map() };

/** The list read again: only this stretch of it is known. */
export function readAgain(before: OpenList | undefined, stretch: Stretch): OpenList {
  return withStretch({ rows: [], read: before?.read ?? NONE.read }, stretch);
}

/** The list with one more stretch of it. An alert that stood elsewhere has moved. */
export function withStretch({ rows: before, read: known }: OpenList, { offset, items, total }: Stretch): OpenList {
  const ids = new Set(items.map(({ id }) => id));
  const rows = Array.from({ length: total }, (_, place) => {
    const row = before[place];
    return row === undefined || ids.has(row.id) ? undefined : row;
  });
  const read = new Map(known);
  for (const [more, alert] of items.entries()) {
    if (offset + more < total) rows[offset + more] = alert;
    read.set(alert.id, alert);
  }
  return { rows, read };
}

/** The first stretch between two places that was not read; undefined when all was. `to` does not belong to it. */
export function unreadWithin(
  { rows }: OpenList,
  from: number,
  to: number,
): { readonly offset: number; readonly limit: number } | undefined {
  const end = Math.min(to, rows.length);
  let first = from;
  while (first < end && rows[first] !== undefined) first++;
  let last = end;
  while (last > first && rows[last - 1] !== undefined) last--;
  return last > first ? { offset: first, limit: last - first } : undefined;
}

/** The alerts that were read, those of the list in its order. */
export function alertsIn({ rows, read }: OpenList): readonly AlertView[] {
  const placed = rows.filter((row) => row !== undefined);
  const ids = new Set(placed.map(({ id }) => id));
  return [...placed, ...[...read.values()].filter(({ id }) => !ids.has(id))];
}

/** What has not fired yet comes behind what has. */
const rankOf = ({ severity, condition }: AlertView): number => (SEVERITY_ORDER[severity] ?? 9) + (condition === 'pending' ? 10 : 0);

/** Worst first, then newest, then by id: the order of the server's list. */
export function byUrgency(a: AlertView, b: AlertView): number {
  return rankOf(a) - rankOf(b) || b.starts_at_ms - a.starts_at_ms || (a.id < b.id ? 1 : -1);
}

export type AlertFact = {
  readonly alert: AlertView;
  /** Whether it belongs into the list now; undefined when only the server can tell. */
  readonly belongs: boolean | undefined;
};

/** `certain`: false when only the server can tell what became of the list, because not all of it was read. */
export type Told = { readonly list: OpenList; readonly certain: boolean };

/** The list after some facts: an alert that is there changes in its place or goes, one that came is put where it belongs. */
export function withFacts(list: OpenList, facts: readonly AlertFact[]): Told {
  const changed: Changed = { rows: [...list.rows], read: new Map(list.read) };
  const certain = facts.map((fact) => takeIn(changed, fact)).every(Boolean);
  return { list: changed, certain };
}

type Changed = { readonly rows: (AlertView | undefined)[]; readonly read: Map<string, AlertView> };

/** Whether that is all there is to it. */
function takeIn({ rows, read }: Changed, { alert, belongs }: AlertFact): boolean {
  const place = rows.findIndex((row) => row?.id === alert.id);
  if (belongs === false) read.delete(alert.id);
  else if (place >= 0 || read.has(alert.id)) read.set(alert.id, alert);
  if (place >= 0) {
    rows.splice(place, 1, ...(belongs === false ? [] : [alert]));
    return true;
  }
  const whole = !rows.includes(undefined);
  if (belongs !== true) return whole && belongs === false;
  const next = rows.findIndex((row) => row !== undefined && byUrgency(alert, row) < 0);
  const at = next < 0 ? rows.length : next;
  // Between two that were read there is nothing else; elsewhere it may be one of those that were not.
  if (at > 0 && rows[at - 1] === undefined) return false;
  rows.splice(at, 0, alert);
  read.set(alert.id, alert);
  return whole;
}
