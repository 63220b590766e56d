import { t, rich } from '../language/t.ts';
import { AddService } from './add-service.tsx';
import { EmptyState } from '../components/notices.tsx';
import { MakeSla } from '../home/make-sla.tsx';

const SERVICE_SNIPPET = `services:
  - id: shop
    name: Web shop
    checks:
      - id: shop-http
        kind: http
        url: http://127.0.0.1:9999/health
        interval: 10s
        timeout: 2s`;

const SLA_SNIPPET = `slas:
  - id: shop-availability
    service: shop
    indicator: { kind: availability }
    target: 99.9%
    window: { rolling: 30d }`;

/** No service yet: what to write, where. */
export function NoServices() {
  return (
    <EmptyState action={<AddService primary />} command={SERVICE_SNIPPET}>
      {rich('No service is watched yet. Add one here, or in the configuration file of <code>nines serve --config nines.yml</code>.', {
        code: (inner) => <code>{inner}</code>,
      })}
    </EmptyState>
  );
}

/** No contract yet: what to write, where. */
export function NoSlas() {
  return (
    <EmptyState action={<MakeSla primary />} command={SLA_SNIPPET}>
      {t('No SLA is declared yet. Set one here, or say in the configuration file what was promised for a service.')}
    </EmptyState>
  );
}
