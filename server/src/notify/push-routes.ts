import { AppError } from '@nines/base/errors.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { publicKeyOf } from './webpush/encrypt.ts';
import type { PushSubscriptions } from './webpush/subscriptions.ts';

export type PushRouteDeps = {
  readonly push: PushSubscriptions;
  readonly channels: () => readonly { readonly id: string; readonly kind: string }[];
};

const byId = z.object({ id: z.string() });
const endpoint = z.url({ protocol: /^https$/, error: 'write the https:// address that the browser gave' }).max(2_000);
const base64url = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]+$/);
const subscription = z.object({ endpoint, keys: z.object({ p256dh: base64url, auth: base64url }) });

/** Browsers ask to be told, and end it. Whoever may read alerts may have them pushed. */
export function pushRoutes(http: Http, { push, channels }: PushRouteDeps): void {
  const channelOf = (id: string): string => {
    if (channels().some((channel) => channel.id === id && channel.kind === 'webpush')) return id;
    throw new AppError('not_found', 'channel_not_found', `there is no channel ${id} that pushes to browsers`);
  };
  http.get(
    '/api/push',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'The key with which a browser asks for pushes',
        tags: ['notifications'],
        response: { 200: z.object({ public_key: z.string() }) },
      },
    },
    async () => ({ public_key: publicKeyOf(push.key) }),
  );
  http.post(
    '/api/channels/:id/subscriptions',
    {
      config: { permission: 'read' },
      schema: { summary: 'Push to this browser', tags: ['notifications'], params: byId, body: subscription },
    },
    async (request, reply) => {
      const { endpoint: address, keys } = request.body;
      await push.add({ channel: channelOf(request.params.id), endpoint: address, actor: request.actor.name, ...keys });
      return reply.code(201).send({ endpoint: address });
    },
  );
  http.post(
    '/api/channels/:id/unsubscribe',
    {
      config: { permission: 'read' },
      schema: { summary: 'Push to this browser no more', tags: ['notifications'], params: byId, body: z.object({ endpoint }) },
    },
    async (request, reply) => {
      await push.end(request.params.id, request.body.endpoint);
      return reply.code(204).send();
    },
  );
}
