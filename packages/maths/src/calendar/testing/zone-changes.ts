import { DAY_MS } from '@nines/base/units.ts';

/** How a zone's clocks read an instant, as if it were UTC; by another way than `wallClockMs` goes. */
export function clockReader(zone: string): (atMs: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (atMs) => Date.parse(`${format.format(Math.floor(atMs / 1000) * 1000).replace(' ', 'T')}Z`) + (((atMs % 1000) + 1000) % 1000);
}

/** The instants from which the zone's clocks run with another offset, by bisection between days whose offsets differ. */
export function zoneChanges(zone: string, fromMs: number, toMs: number): readonly number[] {
  const read = clockReader(zone);
  const offset = (atMs: number): number => read(atMs) - atMs;
  const changes: number[] = [];
  for (let day = fromMs; day < toMs; day += DAY_MS) {
    if (offset(day) === offset(day + DAY_MS)) continue;
    let [same, changed] = [day, day + DAY_MS];
    while (changed - same > 1000) {
      const middle = Math.floor((same + changed) / 2000) * 1000;
      if (offset(middle) === offset(day)) same = middle;
      else changed = middle;
    }
    changes.push(changed);
  }
  return changes;
}
