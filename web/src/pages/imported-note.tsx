import type { TimelineView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { lengthText } from '../figures/length.ts';
import { t, rich } from '../language/t.ts';
import { stateWord } from '../states/words.ts';

/** Stretches told one by one. */
const SHOWN = 10;

/** What other monitors saw of the time shown, and where it came from: it stands where our own checks saw nothing. */
export function ImportedNote({ imported }: { readonly imported: TimelineView['imported'] }) {
  if (imported.length === 0) return null;
  const sources = [...new Set(imported.map(({ source }) => source))].join(', ');
  return (
    <details>
      <summary>
        {t('Where our own checks saw nothing: {count, plural, one {# stretch} other {# stretches}} from {sources}', {
          count: imported.length,
          sources,
        })}
      </summary>
      <ul className="plain-list" aria-label={t('Imported stretches')}>
        {imported.slice(0, SHOWN).map((one) => (
          <li key={`${one.import} ${one.from_at_ms}`}>
            {rich('{state} from {from} for {length}', {
              state: stateWord(one.state),
              from: <Instant atMs={one.from_at_ms} relative={false} />,
              length: lengthText(one.to_at_ms - one.from_at_ms),
            })}
            {one.detail === '' ? null : `: ${one.detail}`}
            <div className="faint mono">
              {t('{source}, import {number}, row {row}', { source: one.source, number: one.import, row: one.row })}
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}
