import type { ServiceDetailView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { t, rich } from '../language/t.ts';
import { useNow } from '../shell/now.ts';

/** Occurrences told one by one; the rest is a number. */
const SHOWN = 5;

/** What maintenance goes on and is announced; nothing when there is none. */
export function Planned({ planned }: { readonly planned: ServiceDetailView['maintenance'] }) {
  const now = useNow();
  const coming = planned.filter((one) => one.to_at_ms > now);
  if (coming.length === 0) return null;
  const more = coming.length - SHOWN;
  return (
    <Section title={t('Maintenance')} aside={more > 0 ? t('and {count} more within 30 days', { count: more }) : undefined}>
      {coming.slice(0, SHOWN).map((one) => (
        <p key={`${one.window} ${one.from_at_ms}`}>
          {one.from_at_ms <= now
            ? rich('{name}, going on until {at}', { name: one.name, at: <Instant atMs={one.to_at_ms} /> })
            : rich('{name}, from {at}', { name: one.name, at: <Instant atMs={one.from_at_ms} /> })}
          {one.from_at_ms <= now ? null : <span className="faint">{` · ${lengthText(one.to_at_ms - one.from_at_ms)}`}</span>}
        </p>
      ))}
    </Section>
  );
}
