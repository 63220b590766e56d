import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useRemoveChannel } from '../api/channels.ts';
import { usedByQuery } from '../api/objects.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { ObjectLink } from '../objects/object-link.tsx';

/** The button that removes a channel, after it has said what names it. */
export function RemoveChannel({ id, takesRest }: { readonly id: string; readonly takesRest: boolean }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <button type="button" className="plain-button" aria-label={t('Remove {name}', { name: id })} onClick={() => setOpened(true)}>
        {t('Remove')}
      </button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('Remove {name}', { name: id })}
        closeButtonProps={{ 'aria-label': t('Close without removing it') }}
      >
        {opened ? <Sure id={id} takesRest={takesRest} onDone={() => setOpened(false)} /> : null}
      </Modal>
    </>
  );
}

function Sure({ id, takesRest, onDone }: { readonly id: string; readonly takesRest: boolean; readonly onDone: () => void }) {
  const uses = useQuery(usedByQuery('channels', id));
  const remove = useRemoveChannel();
  if (uses.data === undefined) return <Waiting query={uses} what={id} />;
  const named = uses.data.items.filter((one) => one.kind !== 'settings' || one.id !== 'routing.default');
  if (named.length > 0) {
    return (
      <div className="drawer-body">
        <p>{t('It is in use, and stays until nothing names it any more:')}</p>
        <ul className="plain-list">
          {named.map((one) => (
            <li key={`${one.kind} ${one.id}`}>
              <ObjectLink one={one} />
            </li>
          ))}
        </ul>
      </div>
    );
  }
  return (
    <div className="drawer-body">
      <p>
        {takesRest
          ? t('Alerts that no other route takes are no longer sent through it. What was sent stays in the records.')
          : t('Nothing names it. What was sent stays in the records.')}
      </p>
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
      <div>
        <Button data-autofocus loading={remove.isPending} onClick={() => remove.mutate(id, { onSuccess: onDone })}>
          {t('Remove the channel')}
        </Button>
      </div>
    </div>
  );
}
