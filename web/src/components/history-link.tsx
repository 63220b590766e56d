import { Link } from '@tanstack/react-router';
import { objectText } from '../api/audit-object.ts';
import { mayIn } from '../api/permits.ts';
import { t } from '../language/t.ts';
import { useSession } from '../shell/session.tsx';

type Props = {
  /** As the audit log calls it, the path of its address in the API: `oncall/schedules`. */
  readonly kind: string;
  /** Absent: everything of the kind. */
  readonly id?: string | null;
  /** What it is called, to tell the links of a list apart. */
  readonly name?: string;
};

/** The way to what the audit log knows of an object; nothing for those who may not read the log. */
export function HistoryLink({ kind, id = null, name }: Props) {
  const session = useSession();
  if (session.scope !== '' || !mayIn(session, 'administer', 'audit')) return null;
  return (
    <Link
      to="/settings/audit"
      search={{ object: objectText({ kind, id }) }}
      className="no-print nowrap history-link"
      aria-label={name === undefined ? undefined : t('History of {name}', { name })}
    >
      {t('History')}
    </Link>
  );
}
