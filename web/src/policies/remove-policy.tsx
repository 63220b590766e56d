import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type PolicyView, useRemovePolicy } from '../api/escalation.ts';
import { usedByQuery } from '../api/objects.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { ObjectLink } from '../objects/object-link.tsx';

/** The button that removes a policy, after it has said what leads to it. */
export function RemovePolicy({ policy }: { readonly policy: PolicyView }) {
  const [opened, setOpened] = useState(false);
  const title = t('Remove {name}', { name: policy.name });
  return (
    <>
      <button type="button" className="plain-button" aria-label={title} onClick={() => setOpened(true)}>
        {t('Remove')}
      </button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={title}
        closeButtonProps={{ 'aria-label': t('Close without removing it') }}
      >
        {opened ? <Sure policy={policy} onDone={() => setOpened(false)} /> : null}
      </Modal>
    </>
  );
}

function Sure({ policy: { id }, onDone }: { readonly policy: PolicyView; readonly onDone: () => void }) {
  const uses = useQuery(usedByQuery('escalation/policies', id));
  const remove = useRemovePolicy();
  if (uses.data === undefined) return <Waiting query={uses} what={id} />;
  return (
    <div className="drawer-body">
      {uses.data.items.length === 0 ? (
        <p>{t('Nothing leads to it. Alerts that climb it now go on to its end.')}</p>
      ) : (
        <>
          <p>{t('These lead to it; alerts that climb it now go on to its end:')}</p>
          <ul className="plain-list">
            {uses.data.items.map((one) => (
              <li key={`${one.kind} ${one.id}`}>
                <ObjectLink one={one} />
              </li>
            ))}
          </ul>
        </>
      )}
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
      <div>
        <Button data-autofocus loading={remove.isPending} onClick={() => remove.mutate(id, { onSuccess: onDone })}>
          {t('Remove the policy')}
        </Button>
      </div>
    </div>
  );
}
