import type { Http } from '../platform/http/contract.ts';
import type { Alertmanagers } from './service.ts';

/** Prometheus' `/api/v1/alertmanagers`. Source: prometheus web/api/v1/api.go. */
export function alertmanagerRoutes(http: Http, { alertmanagers }: { readonly alertmanagers: Pick<Alertmanagers, 'view'> }): void {
  http.get(
    '/api/v1/alertmanagers',
    {
      config: { permission: 'read', errors: 'prometheus' },
      schema: { summary: 'Alertmanagers that alerts are sent to', tags: ['prometheus'] },
    },
    () => {
      const { active, dropped } = alertmanagers.view();
      const shown = (urls: readonly string[]): readonly { readonly url: string }[] => urls.map((url) => ({ url }));
      return { status: 'success', data: { activeAlertmanagers: shown(active), droppedAlertmanagers: shown(dropped) } };
    },
  );
}
