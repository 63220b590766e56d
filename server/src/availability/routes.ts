import { AppError } from '@nines/base/errors.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { AVAILABILITY_CODES, type Downtime, downtimeEdit, downtimeToWire, downtimeView } from './contract.ts';
import type { Availability } from './service.ts';

/** Downtimes: listed, and edited by people. They open and close by themselves. */
export function availabilityRoutes(
  http: Http,
  {
    availability,
    onEdited,
  }: { readonly availability: Availability /** Before the person is answered. */; readonly onEdited: (edited: Downtime) => Promise<void> },
): void {
  const query = z.object({ service: z.string().optional(), from: instant.optional(), to: instant.optional() });
  const byId = z.object({ id: z.string() });
  http.get(
    '/api/downtime',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Downtimes that overlap [from, to), newest first',
        tags: ['downtime'],
        querystring: query,
        response: { 200: z.object({ items: z.array(downtimeView) }) },
      },
    },
    async (request) => {
      const { service, from, to } = request.query;
      const list = await availability.downtimes({
        ...(service === undefined ? {} : { service }),
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      });
      return { items: list.map(downtimeToWire) };
    },
  );
  http.get(
    '/api/downtime/:id',
    {
      config: { permission: 'read' },
      schema: { summary: 'One downtime', tags: ['downtime'], params: byId, response: { 200: downtimeView } },
    },
    async (request) => {
      const found = await availability.downtime(request.params.id);
      if (found === undefined)
        throw new AppError('not_found', AVAILABILITY_CODES.downtimeNotFound, `there is no downtime ${request.params.id}`);
      return downtimeToWire(found);
    },
  );
  http.patch(
    '/api/downtime/:id',
    {
      config: { permission: 'operate' },
      schema: {
        summary: 'Give a downtime its reason or a note; the version before is kept',
        tags: ['downtime'],
        params: byId,
        body: downtimeEdit,
        response: { 200: downtimeView },
      },
    },
    async (request) => {
      const edited = await availability.editDowntime({ id: request.params.id, edit: request.body, by: request.actor.name });
      await onEdited(edited);
      return downtimeToWire(edited);
    },
  );
}
