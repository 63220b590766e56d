import type { ShiftsView } from '../api/oncall.ts';
import { LOCALE } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { placeOf, shiftInstant, type Shown } from './range.ts';

const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric' });
const dayOnly = new Intl.DateTimeFormat(LOCALE, { day: 'numeric' });

type Bar = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly words: string;
  readonly kind: 'person' | 'override' | 'nobody';
};
type Props = { readonly shifts: ShiftsView; readonly shown: Shown; readonly nameOf: (person: string) => string };

/** Layers, overrides and what comes of them as strips over the days. The table below says the same in words. */
export function ShiftStrip({ shifts, shown, nameOf }: Props) {
  const named = (people: readonly string[]): string => people.map(nameOf).join(', ');
  const rows: readonly { readonly name: string; readonly bars: readonly Bar[] }[] = [
    ...shifts.layers.map(({ name, shifts: turns }) => ({
      name,
      bars: turns.map((turn) => ({ ...turn, words: named(turn.people), kind: 'person' as const })),
    })),
    {
      name: t('Overrides'),
      bars: shifts.overrides.map((one) => ({ ...one, words: nameOf(one.person), kind: 'override' as const })),
    },
  ];
  const final = shifts.final.map((turn) => ({
    ...turn,
    words: turn.people.length === 0 ? 'nobody' : named(turn.people),
    kind: turn.source === 'layer' ? ('person' as const) : turn.source,
  }));
  return (
    <div className="shift-strip" aria-hidden="true">
      <Days shown={shown} />
      {rows.map(({ name, bars }) => (
        <Track key={name} name={name} bars={bars} shown={shown} />
      ))}
      <Track name={t('On call')} bars={final} shown={shown} isFinal />
    </div>
  );
}

function Days({ shown }: { readonly shown: Shown }) {
  const starts = shown.midnights.slice(0, -1);
  const format = starts.length > 7 ? dayOnly : weekday;
  return (
    <div className="shift-row shift-days">
      <span />
      <div className="shift-track">
        {starts.map((atMs, index) => (
          <span key={atMs} style={placeOf({ from_at_ms: atMs, to_at_ms: shown.midnights[index + 1] ?? atMs }, shown)}>
            {format.format(atMs)}
          </span>
        ))}
      </div>
    </div>
  );
}

type TrackProps = { readonly name: string; readonly bars: readonly Bar[]; readonly shown: Shown; readonly isFinal?: boolean };

function Track({ name, bars, shown, isFinal = false }: TrackProps) {
  const now = useNow();
  return (
    <div className={isFinal ? 'shift-row shift-final' : 'shift-row'}>
      <span className="shift-name" title={name}>
        {name}
      </span>
      <div className="shift-track">
        {bars.map((bar) => (
          <div
            key={`${bar.from_at_ms}`}
            className={`shift-bar shift-${bar.kind}`}
            style={placeOf(bar, shown)}
            title={t('{words}, {from} to {to}', { words: bar.words, from: shiftInstant(bar.from_at_ms), to: shiftInstant(bar.to_at_ms) })}
          >
            {bar.words}
          </div>
        ))}
        {now >= shown.fromMs && now < shown.toMs ? (
          <i className="shift-now" style={{ left: placeOf({ from_at_ms: now, to_at_ms: now }, shown).left }} />
        ) : null}
      </div>
    </div>
  );
}
