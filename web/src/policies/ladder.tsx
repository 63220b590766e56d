import type { PolicyView } from '../api/escalation.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';

/** Whom each level tells now, one under the other. */
export function Ladder({ levels, label }: Pick<PolicyView, 'levels'> & { readonly label: string }) {
  return (
    <ol className="ladder" aria-label={label}>
      {levels.map((level, index) => (
        <Level key={index} level={level} isLast={index === levels.length - 1} />
      ))}
    </ol>
  );
}

export function endOf({ repeat, hours, outside }: Pick<PolicyView, 'repeat' | 'hours' | 'outside'>): string {
  const again =
    repeat.times === 0
      ? t('After its last level nobody else is told.')
      : t('After its last level it is climbed again {times, plural, one {once} other {# times}}, {length} later each.', {
          times: repeat.times,
          length: lengthText(repeat.every_ms),
        });
  if (hours === null || outside === null) return again;
  return `${again} ${outside === 'wait' ? t('Outside of its hours its levels wait.') : t('Outside of its hours the policy {policy} takes the alert.', { policy: outside.policy })}`;
}

function Level({ level, isLast }: { readonly level: PolicyView['levels'][number]; readonly isLast: boolean }) {
  const { after_ms: afterMs, reaches, notes } = level;
  return (
    <li>
      <span className="ladder-when">{afterMs === 0 ? t('at once') : t('after {length}', { length: lengthText(afterMs) })}</span>
      <span className="ladder-who">
        {reaches.length === 0 ? (
          <StateMark state="unknown" word={isLast ? t('Nobody now') : t('Nobody now: the next level is told at once')} />
        ) : (
          reaches.map(({ who }) => who).join(', ')
        )}
        {notes.map((note) => (
          <span key={note} className="soft">
            {fromServer(note)}
          </span>
        ))}
      </span>
    </li>
  );
}
