import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Retirement } from '../api/actions.ts';
import type { ServiceDetailView } from '../api/wire.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { Locked } from '../components/locked.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';

/** Ends the watching of a service that was made here; those of the configuration file are ended there. Asks once more. */
export function RetireService({ service, retire }: { readonly service: ServiceDetailView; readonly retire: Retirement }) {
  const [sure, setSure] = useState(false);
  const may = useCan('operate', 'services');
  if (service.origin.kind === 'file') return null;
  if (!may) return <Locked word={t('Retire')} verb="operate" area="services" />;
  return (
    <div className="row-wrap no-print">
      {sure ? (
        <>
          <span className="soft">{t('Its history stays.')}</span>
          <Button variant="default" onClick={() => setSure(false)}>
            {t('Keep it')}
          </Button>
          <Button onClick={() => retire.mutate(service.id)}>{t('Retire {service}', { service: service.name })}</Button>
        </>
      ) : (
        <Button variant="default" onClick={() => setSure(true)}>
          {t('Retire')}
        </Button>
      )}
      {retire.isError ? <ErrorNotice error={retire.error} /> : null}
    </div>
  );
}
