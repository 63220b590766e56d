import { Button, Menu } from '@mantine/core';
import { useState } from 'react';
import { mayIn } from '../api/permits.ts';
import { useSession } from '../shell/session.tsx';
import type { View } from '../timeline/view.ts';
import { AlertDialog } from './alert-dialog.tsx';
import { DashboardDialog } from './dashboard-dialog.tsx';
import type { Tab, UnitName } from './search.ts';
import { t } from '../language/t.ts';

type Props = { readonly query: string; readonly tab: Tab; readonly unit: UnitName; readonly view: View };

/** What becomes of a query that is right. */
export function Actions({ query, tab, unit, view }: Props) {
  const session = useSession();
  const [open, setOpen] = useState<'alert' | 'dashboard' | undefined>();
  const close = () => setOpen(undefined);
  return (
    <>
      {mayIn(session, 'operate', 'dashboards') ? (
        <Button size="xs" variant="default" onClick={() => setOpen('dashboard')}>
          {t('Add to a dashboard')}
        </Button>
      ) : null}
      <Button size="xs" variant="default" onClick={() => setOpen('alert')}>
        {t('Make an alert from this')}
      </Button>
      <Menu position="bottom-start" withinPortal>
        <Menu.Target>
          <Button size="xs" variant="default">
            {t('Copy')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void navigator.clipboard.writeText(query)}>{t('Copy the query')}</Menu.Item>
          <Menu.Item onClick={() => void navigator.clipboard.writeText(window.location.href)}>{t('Copy the link of this page')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === 'alert' ? <AlertDialog query={query} view={view} onClose={close} /> : null}
      {open === 'dashboard' ? <DashboardDialog query={query} tab={tab} unit={unit} onClose={close} /> : null}
    </>
  );
}
