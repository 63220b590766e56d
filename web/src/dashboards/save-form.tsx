import { Button, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type DashboardView, useSaveDashboard } from '../api/dashboards.ts';
import { ApiProblem } from '../api/problem.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { Differences } from './history-side.tsx';
import type { Editing } from './use-editing.ts';

type Props = {
  readonly of: DashboardView;
  readonly editing: Editing;
  readonly changes: readonly string[];
  readonly onSaved: () => void;
};

const CONFLICT = 'revision_conflict';

/** What is saved, in words, with why. Where somebody else was first: what they changed, and both ways on. */
export function SaveForm({ of, editing, changes, onSaved }: Props) {
  const [note, setNote] = useState('');
  const client = useQueryClient();
  const save = useSaveDashboard(of.id);
  const conflict = save.error instanceof ApiProblem && save.error.code === CONFLICT;
  const send = (revision: number) =>
    save.mutate(
      { spec: editing.spec, note, revision },
      { onSuccess: onSaved, onError: () => void client.invalidateQueries({ queryKey: ['dashboards', 'one', of.id] }) },
    );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send(editing.base);
  };
  return (
    <form className="time-exact" onSubmit={onSubmit}>
      <p>{t('What changes:')}</p>
      <ul className="differences">
        {changes.map((change) => (
          <li key={change} className="wrap">
            {change}
          </li>
        ))}
      </ul>
      <TextInput label={t('Why, for the history')} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      {save.isError && !conflict ? <RefusedNotice error={save.error} /> : null}
      {conflict ? (
        <Meanwhile of={of} editing={editing} pending={save.isPending} onOver={() => send(of.revision)} onTheirs={onSaved} />
      ) : null}
      {conflict ? null : (
        <Button type="submit" loading={save.isPending}>
          {t('Save')}
        </Button>
      )}
    </form>
  );
}

type MeanwhileProps = Pick<Props, 'of' | 'editing'> & {
  readonly pending: boolean;
  readonly onOver: () => void;
  readonly onTheirs: () => void;
};

function Meanwhile({ of, editing, pending, onOver, onTheirs }: MeanwhileProps) {
  // Until the present state has come there is nothing to compare with.
  const known = of.revision > editing.base;
  return (
    <div className="notice" role="alert">
      <p>
        <strong>
          {t('{who} saved it while you were editing. This is what they changed:', {
            who: (known ? of.changed_by : null) ?? t('Somebody else'),
          })}
        </strong>
      </p>
      {known ? <Differences id={of.id} from={editing.base} to={of.revision} /> : <p className="soft">{t('Reading …')}</p>}
      <p className="soft">{t('Saving yours puts your state in the place of theirs; theirs stays among the versions.')}</p>
      <div className="row-wrap">
        <Button size="xs" loading={pending} disabled={!known} onClick={onOver}>
          {t('Save mine')}
        </Button>
        <Button size="xs" variant="default" onClick={onTheirs}>
          {t('Keep theirs, discard mine')}
        </Button>
      </div>
    </div>
  );
}
