import { useQuery } from '@tanstack/react-query';
import { lastChangeQuery } from '../api/audit.ts';
import { ApiProblem } from '../api/problem.ts';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { differencesOf } from './audit-rows.ts';

const CONFLICT = 'revision_conflict';

type Props = { readonly error: unknown; readonly kind: string; readonly id: string; readonly name: string };

/** A change that was refused; where somebody else was first, who that was and what they changed. */
export function ChangedMeanwhile({ error, ...of }: Props) {
  return error instanceof ApiProblem && error.code === CONFLICT ? <Meanwhile {...of} /> : <ErrorNotice error={error} />;
}

function Meanwhile({ kind, id, name }: Omit<Props, 'error'>) {
  const mayKnow = useCan('administer', 'audit');
  const { data: entry } = useQuery({ ...lastChangeQuery(kind, id), enabled: mayKnow });
  const changes = differencesOf(entry?.before, entry?.after).map(
    ({ path, before, after }) => `${path} ${before || 'none'} → ${after || 'none'}`,
  );
  return (
    <div className="notice" role="alert">
      <p>
        <strong>
          {entry === undefined || entry === null
            ? t('Somebody else changed {name} since this page read it.', { name })
            : t('{actor} changed {name} since this page read it.', { actor: entry.actor.name || entry.actor.id, name })}
        </strong>
        {entry === undefined || entry === null ? null : (
          <span className="soft">
            {` ${changes.join('; ')} · `}
            <Instant atMs={entry.at_ms} />
          </span>
        )}
      </p>
      <p className="soft">{t('Your change was not made. You see the present state; repeat your change if it is still right.')}</p>
    </div>
  );
}
