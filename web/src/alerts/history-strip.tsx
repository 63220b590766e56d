import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AlertPastWire, alertPastQuery } from '../api/alerts.ts';
import { Waiting } from '../components/notices.tsx';
import { shortInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';

const DAYS = [
  { value: '7', label: t('7 days') },
  { value: '30', label: t('30 days') },
];
const WIDTH = 600;
const HEIGHT = 22;
/** What lasted a minute is still seen in a month. */
const THINNEST = 2;

/** When the same problem fired before, drawn as what it was: intervals. */
export function HistoryStrip({ id }: { readonly id: string }) {
  const [days, setDays] = useState(30);
  const past = useQuery(alertPastQuery(id, days));
  return (
    <Section
      title={t('Before')}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('How far back')}
          data={DAYS}
          value={String(days)}
          onChange={(value) => setDays(Number(value))}
        />
      }
    >
      <Waiting query={past} what={t('earlier alerts')} />
      {past.data === undefined ? null : <Strip past={past.data} days={days} />}
    </Section>
  );
}

function Strip({ past, days }: { readonly past: AlertPastWire; readonly days: number }) {
  const { from_at_ms: fromMs, to_at_ms: toMs, items } = past;
  const x = (atMs: number): number => (Math.max(0, atMs - fromMs) / (toMs - fromMs)) * WIDTH;
  const firedMs = items.reduce((sum, one) => sum + Math.max(0, (one.to_at_ms ?? toMs) - Math.max(one.from_at_ms, fromMs)), 0);
  const acknowledged = items.filter((one) => one.acknowledged_at_ms !== null).length;
  const words = t(
    'Fired {count, plural, one {once} other {# times}} in {days} days, {length} in all; {acknowledged, plural, =0 {never acknowledged} one {acknowledged once} other {acknowledged # times}}.',
    { count: items.length, days, length: lengthText(firedMs - (firedMs % 1000)), acknowledged },
  );
  return (
    <div className="history-strip">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect width={WIDTH} height={HEIGHT} fill="var(--hover)" />
        {items.map((one) => {
          const left = x(one.from_at_ms);
          const width = Math.max(THINNEST, x(one.to_at_ms ?? toMs) - left);
          return (
            <rect key={one.id} x={Math.min(left, WIDTH - THINNEST)} width={width} height={HEIGHT} className={`bar-${one.severity}`}>
              <title>{`${shortInstant(one.from_at_ms, toMs)}, ${one.to_at_ms === null ? t('still open') : lengthText(one.to_at_ms - one.from_at_ms)}`}</title>
            </rect>
          );
        })}
      </svg>
      <p className="soft">{words}</p>
    </div>
  );
}
