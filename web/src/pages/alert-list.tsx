import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { byUrgency } from '../alerts/inbox-state.ts';
import { useAlertAction } from '../api/actions.ts';
import type { AlertView } from '../api/wire.ts';
import { Since } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { t, rich } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { SeverityMark } from '../states/state-mark.tsx';
import { AlertStateMark } from './alert-state.tsx';
import { alertTitle } from './sentences.ts';

/** Open alerts in brief, each with the one thing to do: acknowledge. */
export function AlertList({ alerts }: { readonly alerts: readonly AlertView[] }) {
  const acknowledge = useAlertAction();
  const mayAct = useCan('operate', 'alerts');
  return (
    <>
      {acknowledge.isError ? <ErrorNotice error={acknowledge.error} /> : null}
      <ul className="panel alert-list">
        {[...alerts].sort(byUrgency).map((alert) => (
          <li key={alert.id}>
            <div>
              <Link to="/alerts-dashboard" search={{ alert: alert.id }} className="title" data-row="">
                {alertTitle(alert)}
              </Link>
              <div className="alert-meta">
                <SeverityMark severity={alert.severity} />
                <AlertStateMark alert={alert} />
                <span>{rich('since {at}', { at: <Since atMs={alert.starts_at_ms} /> })}</span>
              </div>
            </div>
            {mayAct && alert.state === 'firing' ? (
              <Button
                size="compact-sm"
                variant="light"
                loading={acknowledge.isPending && acknowledge.variables.ids.includes(alert.id)}
                onClick={() => acknowledge.mutate({ name: 'acknowledge', ids: [alert.id] })}
                aria-label={t('Acknowledge {alert}', { alert: alertTitle(alert) })}
              >
                {t('Acknowledge')}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}
