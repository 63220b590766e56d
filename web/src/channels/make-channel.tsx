import { Button } from '@mantine/core';
import { useState } from 'react';
import { Locked } from '../components/locked.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { ChannelDialog } from './channel-dialog.tsx';

/** The button that makes a channel, for those who may. */
export function MakeChannel({ primary, open = false }: { readonly primary: boolean; readonly open?: boolean }) {
  const [opened, setOpened] = useState(open);
  const word = t('Make a channel');
  if (!useCan('administer', 'notifications')) return <Locked word={word} verb="administer" area="notifications" />;
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} onClick={() => setOpened(true)}>
        {word}
      </Button>
      <ChannelDialog opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}
