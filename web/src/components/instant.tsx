import { exactInstant, shortInstant, timeZone } from '../figures/instant.ts';
import { lengthText, relativeText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';

const iso = (atMs: number) => new Date(atMs).toISOString();

/** An instant to the second, with the relative time beside it. */
export function Instant({ atMs, relative = true }: { readonly atMs: number; readonly relative?: boolean }) {
  const now = useNow();
  return (
    <time dateTime={iso(atMs)} className="nowrap">
      {exactInstant(atMs, now)}
      {relative ? <span className="faint">{` · ${relativeText(atMs, now)}`}</span> : null}
    </time>
  );
}

/** `6 s ago`, the instant in its title: for narrow columns of what is fresh. */
export function Ago({ atMs }: { readonly atMs: number }) {
  const now = useNow();
  return (
    <time dateTime={iso(atMs)} title={exactInstant(atMs, now)} className="nowrap">
      {relativeText(atMs, now)}
    </time>
  );
}

/** `02:14 (6 min)`: since when, and for how long. */
export function Since({ atMs }: { readonly atMs: number }) {
  const now = useNow();
  return (
    <time dateTime={iso(atMs)} title={exactInstant(atMs, now)} className="nowrap">
      {shortInstant(atMs, now)}
      <span className="faint">{` (${lengthText(Math.max(0, floorSecond(now - atMs)))})`}</span>
    </time>
  );
}

/** A running length is told in whole seconds; milliseconds would flicker. */
const floorSecond = (lengthMs: number) => lengthMs - (lengthMs % 1000);

/** How long something has lasted, ticking. */
export function Running({ sinceMs }: { readonly sinceMs: number }) {
  const now = useNow();
  return <>{lengthText(Math.max(0, floorSecond(now - sinceMs)))}</>;
}

/** Stated once per page: in which zone its times are. */
export function TimeZoneNote() {
  return <span>{t('Times in {timeZone}', { timeZone })}</span>;
}
