import { Modal } from '@mantine/core';
import { Fragment } from 'react';
import { KEY_GROUPS } from './keys.ts';
import { t } from '../language/t.ts';

/** Every key of the product; `?` opens it. */
export function KeyOverlay({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={t('Keyboard')} closeButtonProps={{ 'aria-label': t('Close the list of keys') }}>
      <div className="drawer-body">
        {KEY_GROUPS.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl className="keys">
              {group.keys.map(({ keys, does }) => (
                <Fragment key={keys}>
                  <dt>
                    <kbd>{keys}</kbd>
                  </dt>
                  <dd>{does}</dd>
                </Fragment>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
