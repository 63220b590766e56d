import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { deliverySpec, deliveryView } from './contract.ts';
import type { Deliveries } from './service.ts';

const tags = ['dashboards'];
const byId = z.object({ id: z.string().max(63) });
const byDelivery = byId.extend({ delivery: z.string().max(63) });

/** Dashboards that are sent by mail: listed, made, sent now, rested, removed. */
export function deliveryRoutes(http: Http, deliveries: Deliveries): void {
  const config = { permission: 'operate', scoped: 'handler' } as const;
  http.get(
    '/api/dashboards/:id/deliveries',
    {
      config,
      schema: {
        summary: 'To whom it is sent as PDF: when next, and what became of the last one',
        tags,
        params: byId,
        response: { 200: z.object({ items: z.array(deliveryView), channels: z.array(z.string()) }) },
      },
    },
    async (request) => ({
      items: [...(await deliveries.list(request.params.id, request.actor))],
      channels: [...deliveries.channels()],
    }),
  );
  http.post(
    '/api/dashboards/:id/deliveries',
    {
      config: { permission: 'operate', scoped: { free: 'it sends what its maker sees, then and when it is sent' } },
      schema: {
        summary: 'Send it as PDF by mail, again and again',
        tags,
        params: byId,
        body: deliverySpec,
        response: { 201: deliveryView },
      },
    },
    async (request, reply) => reply.code(201).send(await deliveries.make(request.params.id, request.body, request.actor)),
  );
  http.patch(
    '/api/dashboards/:id/deliveries/:delivery',
    {
      config,
      schema: {
        summary: 'Let a delivery rest, or go on',
        tags,
        params: byDelivery,
        body: z.strictObject({ enabled: z.boolean() }),
        response: { 200: deliveryView },
      },
    },
    (request) => deliveries.enable(request.params.id, request.params.delivery, { enabled: request.body.enabled, actor: request.actor }),
  );
  http.post(
    '/api/dashboards/:id/deliveries/:delivery/send',
    {
      config,
      schema: { summary: 'Send it now, with the stretch that ends now', tags, params: byDelivery, response: { 202: deliveryView } },
    },
    async (request, reply) => reply.code(202).send(await deliveries.sendNow(request.params.id, request.params.delivery, request.actor)),
  );
  http.delete(
    '/api/dashboards/:id/deliveries/:delivery',
    { config, schema: { summary: 'Remove a delivery', tags, params: byDelivery } },
    async (request, reply) => {
      await deliveries.remove(request.params.id, request.params.delivery, request.actor);
      return reply.code(204).send();
    },
  );
}
