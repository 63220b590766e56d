import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ObjectText, objectTextQuery } from '../api/objects.ts';
import { Command, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { UsedBy } from './used-by.tsx';

type Props = {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly show: 'yaml' | 'used-by';
  readonly onClose: () => void;
};

/** An object as YAML, or what names it. */
export function ObjectDialog({ name, show, onClose, ...of }: Props) {
  const title = show === 'yaml' ? t('{name} as YAML', { name }) : t('What uses {name}', { name });
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeButtonProps={{ 'aria-label': t('Close') }}>
      {show === 'yaml' ? (
        <Text {...of} />
      ) : (
        <div className="drawer-body">
          <UsedBy {...of} />
        </div>
      )}
    </Modal>
  );
}

function Text({ kind, id }: Pick<Props, 'kind' | 'id'>) {
  const found = useQuery(objectTextQuery(kind, id));
  return (
    <div className="drawer-body">
      <Waiting query={found} what={t('the YAML')} />
      {found.data === undefined ? null : (
        <>
          <p className="soft">{leadOf(found.data)}</p>
          <Command text={found.data.yaml} />
          {found.data.redacted ? (
            <p className="soft">{t('Secrets are not shown: fill in what stands in [redacted] before you load it elsewhere.')}</p>
          ) : null}
        </>
      )}
    </div>
  );
}

function leadOf({ file, origin }: ObjectText): string {
  if (file === 'record') return t('As the API tells it. No configuration holds it.');
  const where =
    origin === 'ui'
      ? t('It was made here.')
      : origin === 'shipped'
        ? t('Nines brings it.')
        : t('It stands in {place} and is changed there.', { place: origin });
  if (file === 'dashboard') return `${where} ${t('This is the dashboard as a file under dashboards.files holds it.')}`;
  if (file === 'rule_file') return `${where} ${t('This is the rule as a Prometheus rule file holds it.')}`;
  return `${where} ${t('This is how nines.yml holds it.')}`;
}
