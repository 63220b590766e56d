import { Button } from '@mantine/core';
import type { AlertView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import type { AlertAction } from './undo.ts';

/** What asks for more before it is done. */
export type Asking = 'snooze' | 'assign' | 'comment' | 'silence' | 'resolve' | 'escalate';

export type Asked = { readonly asking: Asking; readonly alerts: readonly AlertView[] };

type Props = {
  readonly alerts: readonly AlertView[];
  readonly me: string;
  readonly pending: boolean;
  readonly onAct: (action: AlertAction) => void;
  readonly onAsk: (asking: Asking) => void;
};

/** What can be done to these alerts; the one thing that is probably meant comes first and is the only filled button. */
export function ActionButtons({ alerts, me, pending, onAct, onAsk }: Props) {
  const open = alerts.filter(({ condition }) => condition !== 'resolved');
  if (open.length === 0) {
    return (
      <Button size="xs" variant="default" onClick={() => onAsk('comment')}>
        {t('Comment')}
      </Button>
    );
  }
  const some = (holds: (alert: AlertView) => boolean): boolean => open.some(holds);
  const plain = (label: string, onClick: () => void) => (
    <Button size="xs" variant="default" onClick={onClick} key={label}>
      {label}
    </Button>
  );
  return (
    <div className="row-wrap">
      {some((one) => one.acknowledged_at_ms === null) ? (
        <Button size="xs" loading={pending} onClick={() => onAct({ name: 'acknowledge' })}>
          {t('Acknowledge')}
        </Button>
      ) : (
        plain(t('Take the acknowledgement back'), () => onAct({ name: 'unacknowledge' }))
      )}
      {some((one) => one.assigned_to !== me)
        ? plain(t('Take'), () => onAct({ name: 'assign', assignee: me }))
        : plain(t('Give back'), () => onAct({ name: 'assign', assignee: null }))}
      {plain(t('Assign …'), () => onAsk('assign'))}
      {plain(t('Snooze …'), () => onAsk('snooze'))}
      {some((one) => one.snoozed_until_ms !== null || one.snoozed_until_resolved)
        ? plain(t('Wake'), () => onAct({ name: 'unsnooze' }))
        : null}
      {plain(t('Silence …'), () => onAsk('silence'))}
      {plain(t('Comment …'), () => onAsk('comment'))}
      {some((one) => one.suppressed_at_ms === null)
        ? plain(t('Suppress'), () => onAct({ name: 'suppress' }))
        : plain(t('No longer suppress'), () => onAct({ name: 'unsuppress' }))}
      {plain(t('Escalate …'), () => onAsk('escalate'))}
      {plain(t('Resolve …'), () => onAsk('resolve'))}
    </div>
  );
}
