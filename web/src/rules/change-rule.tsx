import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { type RuleView, ruleQuery, useRemoveRule } from '../api/rules.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { draftOf, draftOfView } from './draft.ts';

/** The editor of queries is half a page's weight: it comes when it is needed. */
const RuleForm = lazy(() => import('./rule-form.tsx').then((module) => ({ default: module.RuleForm })));
const RuleText = lazy(() => import('./rule-text.tsx').then((module) => ({ default: module.RuleText })));

/** Changing and removing a saved rule; of any other, where it is changed. */
export function RuleTools({
  rule,
  onEdit,
  onRemoved,
}: {
  readonly rule: RuleView;
  readonly onEdit: () => void;
  readonly onRemoved: () => void;
}) {
  const may = useCan('operate', 'alerts');
  const [removing, setRemoving] = useState(false);
  if (rule.origin !== 'ui') {
    const how =
      rule.origin === 'shipped'
        ? t('It comes with Nines; a rule that is saved with its id replaces it.')
        : t('It is written at {place} and changed there, with a reload.', { place: rule.place });
    const word = rule.origin === 'shipped' ? t('Replace it') : t('Save a copy');
    return (
      <>
        <p className="faint">{how}</p>
        {may && draftOfView(rule) !== undefined ? (
          <Button size="xs" variant="default" className="no-print" onClick={onEdit}>
            {word}
          </Button>
        ) : null}
      </>
    );
  }
  if (!may) return null;
  return (
    <div className="row-wrap no-print">
      <Button size="xs" variant="default" onClick={onEdit}>
        {t('Edit')}
      </Button>
      <Button size="xs" variant="default" onClick={() => setRemoving(true)}>
        {t('Remove')}
      </Button>
      <Modal
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('Remove the rule {name}?', { name: rule.name })}
        closeButtonProps={{ 'aria-label': t('Close||removal') }}
      >
        <Removal rule={rule} onRemoved={onRemoved} />
      </Modal>
    </div>
  );
}

function Removal({ rule, onRemoved }: { readonly rule: RuleView; readonly onRemoved: () => void }) {
  const remove = useRemoveRule();
  return (
    <>
      <p>
        {rule.alerts_open === 0
          ? t('It is not evaluated any more.')
          : t('It is not evaluated any more, and {count, plural, one {its open alert ends} other {its # open alerts end}}.', {
              count: rule.alerts_open,
            })}
      </p>
      <p className="soft">{t('What it was stays in the audit log.')}</p>
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
      <Button loading={remove.isPending} onClick={() => remove.mutate({ id: rule.id, revision: rule.revision }, { onSuccess: onRemoved })}>
        {t('Remove the rule')}
      </Button>
    </>
  );
}

type EditProps = { readonly rule: RuleView; readonly onSaved: (id: string) => void };

/** The form of a saved rule; of any other, that of one which is saved in its place or as a copy. */
export function EditRule({ rule, onSaved }: EditProps) {
  if (rule.origin === 'ui') return <EditSaved rule={rule} onSaved={onSaved} />;
  const draft = draftOfView(rule);
  if (draft === undefined) return <p className="soft">{t('It cannot be changed here.')}</p>;
  return (
    <Suspense fallback={null}>
      <RuleForm initial={draft} onSaved={({ id }) => onSaved(id)} />
    </Suspense>
  );
}

function EditSaved({ rule: { id }, onSaved: onDone }: EditProps) {
  const onSaved = (): void => onDone(id);
  const found = useQuery(ruleQuery(id));
  // What is being edited must not change under the hands: the state in which it was read stays.
  const [first, setFirst] = useState(found.data);
  if (first === undefined && found.data !== undefined) setFirst(found.data);
  if (first === undefined) return <Waiting query={found} what={t('the rule')} />;
  if (first.written === null) return <p className="soft">{t('It cannot be changed here.')}</p>;
  const draft = draftOf(first.written);
  return (
    <Suspense fallback={null}>
      {draft === undefined ? (
        <RuleText of={first} written={first.written} onSaved={onSaved} />
      ) : (
        <RuleForm initial={draft} of={first} onSaved={onSaved} />
      )}
    </Suspense>
  );
}
