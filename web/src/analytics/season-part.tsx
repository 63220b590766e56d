import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { SeasonalityWire } from '../api/analytics.ts';
import { Section } from '../components/section.tsx';
import { timeZone } from '../figures/instant.ts';
import { decimalText } from '../figures/percent.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { type Slot, byHour, byWeekday, extremes } from './profile.ts';
import type { PartProps } from './series-view.tsx';
import { Reckoning, Told } from './told.tsx';
import { type UnitText, differenceText } from './units.ts';
import { seasonName, seasonSentence } from './words.ts';

type Props = PartProps & { readonly seasons: UseQueryResult<SeasonalityWire> };

/** What repeats: by hour of the day and by day of the week, as differences from the usual level. */
export function SeasonPart({ seasons, text }: Props) {
  return (
    <Section title={t('Its rhythm')} aside={timeZone}>
      <div className="panel panel-pad picture">
        <Reckoning query={seasons} what={t('the rhythm')} />
        {seasons.data === undefined ? null : <Rhythm seasons={seasons.data} text={text} />}
      </div>
    </Section>
  );
}

const HOURS = 24;
const DAY_MS = 86_400_000;

function Rhythm({ seasons, text }: { readonly seasons: SeasonalityWire; readonly text: UnitText }) {
  const present = seasons.seasons.filter((one) => one.present);
  const hours = useMemo(() => (present.some(({ length_ms: ms }) => ms >= DAY_MS) ? byHour(seasons.points) : undefined), [seasons]);
  const days = useMemo(() => (present.some(({ length_ms: ms }) => ms > DAY_MS) ? byWeekday(seasons.points) : undefined), [seasons]);
  const absent = seasons.seasons.filter((one) => !one.present);
  return (
    <>
      <p className="finding">{seasonSentence(seasons)}</p>
      {hours === undefined && days === undefined ? null : (
        <div className="profiles">
          {hours === undefined ? null : <Profile title={t('By hour of the day')} slots={hours} text={text} />}
          {days === undefined ? null : <Profile title={t('By day of the week')} slots={days} text={text} />}
        </div>
      )}
      <Told
        facts={[
          [t('Method'), t('robust profile of each season in turn, shortest first; the rest is trend and remainder')],
          [
            t('Doubt'),
            present.length === 0
              ? t('A season has to foretell values it has not seen.')
              : present
                  .map(({ name, strength, foretold }) =>
                    t('{name}: explains {strength}, foretells {foretold} of what it had not seen', {
                      name: seasonName(name),
                      strength: decimalText(strength.toFixed(2)),
                      foretold: decimalText(foretold.toFixed(2)),
                    }),
                  )
                  .join('; '),
          ],
          ...(absent.length === 0
            ? []
            : [
                [
                  t('Not found'),
                  absent.map(({ name, strength }) => `${seasonName(name)} (${decimalText(strength.toFixed(2))})`).join(', '),
                ] as const,
              ]),
          ...seasons.notes.map((note) => [t('Note'), fromServer(note)] as const),
        ]}
      />
    </>
  );
}

const BAR_HEIGHT = 96;
const SLOT = 10;

/** Bars up and down from the usual level. */
function Profile({ title, slots, text }: { readonly title: string; readonly slots: readonly Slot[]; readonly text: UnitText }) {
  const ends = extremes(slots);
  if (ends === undefined) return null;
  const high = Math.max(0, ends.highest.value);
  const low = Math.min(0, ends.lowest.value);
  const scale = BAR_HEIGHT / (high - low || 1);
  const zero = high * scale;
  const width = slots.length * SLOT;
  const sentence = t('Highest at {high} ({above}), lowest at {low} ({below}).', {
    high: ends.highest.name,
    above: differenceText(ends.highest.value, text),
    low: ends.lowest.name,
    below: differenceText(ends.lowest.value, text),
  });
  return (
    <figure className="profile">
      <figcaption>
        <h3>{title}</h3>
        <p className="soft">{sentence}</p>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${BAR_HEIGHT}`}
        preserveAspectRatio="none"
        height={BAR_HEIGHT}
        role="img"
        aria-label={`${title}. ${sentence}`}
      >
        {slots.map(({ name, value }, i) => (
          <rect
            key={name}
            x={i * SLOT + 1}
            width={SLOT - 2}
            y={value >= 0 ? zero - value * scale : zero}
            height={Math.max(0.5, Math.abs(value) * scale)}
            className={value >= 0 ? 'profile-over' : 'profile-under'}
          >
            <title>{`${name}: ${differenceText(value, text)}`}</title>
          </rect>
        ))}
        <line x1="0" x2={width} y1={zero} y2={zero} className="profile-zero" />
      </svg>
      <div className="profile-axis" aria-hidden="true">
        {slots.length === HOURS
          ? ['00', '06', '12', '18', '24'].map((name) => <span key={name}>{name}</span>)
          : slots.map(({ name }) => <span key={name}>{name}</span>)}
      </div>
    </figure>
  );
}
