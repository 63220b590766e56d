import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useRetireService } from '../api/actions.ts';
import type { ServiceDetailView } from '../api/wire.ts';
import { ErrorNotice } from '../components/notices.tsx';
import { useMay } from '../shell/session.tsx';

/** Ends the watching of a service that was made here; those of the configuration file are ended there. Asks once more. */
export function RetireService({ service }: { readonly service: ServiceDetailView }) {
  const [sure, setSure] = useState(false);
  const retire = useRetireService();
  const navigate = useNavigate();
  if (!useMay('operate') || service.origin.kind === 'file') return null;
  return (
    <div className="row-wrap no-print">
      {sure ? (
        <>
          <span className="soft">Its history stays.</span>
          <Button variant="default" onClick={() => setSure(false)}>
            Keep it
          </Button>
          <Button
            loading={retire.isPending}
            onClick={() => retire.mutate(service.id, { onSuccess: () => void navigate({ to: '/services' }) })}
          >
            {`Retire ${service.name}`}
          </Button>
        </>
      ) : (
        <Button variant="default" onClick={() => setSure(true)}>
          Retire
        </Button>
      )}
      {retire.isError ? <ErrorNotice error={retire.error} /> : null}
    </div>
  );
}
