import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { channelKindView, listedChannel, madeChannelView } from '../contract.ts';
import type { NotifyService } from '../service.ts';
import { testAnswer, timed } from '../test-answer.ts';
import { channelBody, tryBody } from './draft.ts';
import { channelKinds } from './form.ts';
import type { Channels } from './service.ts';

export type ChannelRouteDeps = {
  readonly channels: Channels;
  readonly notify: Pick<NotifyService, 'channelViews'>;
  readonly clock: Clock;
  /** What names a channel, in words. */
  readonly usedBy: (channel: string) => Promise<readonly string[]>;
};

const tags = ['notifications'];
const params = z.object({ id: z.string() });
const read = { permission: 'read' as const };
const administer = { permission: 'administer' as const, stepUp: true };

/** Channels: which there are, what one can be made of, and those that are made here. */
export function channelRoutes(http: Http, deps: ChannelRouteDeps): void {
  const { channels, notify } = deps;
  http.get(
    '/api/channels',
    {
      config: read,
      schema: {
        summary: 'Channels, with what became of their messages of the last week',
        tags,
        response: { 200: z.object({ items: z.array(listedChannel) }) },
      },
    },
    async () => ({ items: [...channels.listed(await notify.channelViews())] }),
  );
  http.get(
    '/api/channel-kinds',
    {
      config: read,
      schema: {
        summary: 'What channels can be made of, with the fields of each kind',
        tags,
        response: { 200: z.object({ items: z.array(channelKindView) }) },
      },
    },
    async () => ({ items: [...channelKinds()] }),
  );
  http.get(
    '/api/channels/:id',
    {
      config: { permission: 'administer' },
      schema: { summary: 'One channel as it is written, without its secrets', tags, params, response: { 200: madeChannelView } },
    },
    async (request) => channels.get(request.params.id),
  );
  changeRoutes(http, deps);
}

function changeRoutes(http: Http, { channels, clock, usedBy }: ChannelRouteDeps): void {
  http.post(
    '/api/channels',
    {
      config: administer,
      schema: { summary: 'Make a channel; it sends from now on', tags, body: channelBody, response: { 201: madeChannelView } },
    },
    async (request, reply) => reply.code(201).send(await channels.create(request.body.channel, request.body.takes_rest)),
  );
  http.post(
    '/api/channels/test',
    {
      config: administer,
      schema: { summary: 'Send a test through a channel that is not saved', tags, body: tryBody, response: { 200: testAnswer } },
    },
    async (request) => {
      const { channel, of } = request.body;
      return timed(clock, (signal) => channels.tryOut(channel, of, { by: request.actor.name, signal }));
    },
  );
  http.put(
    '/api/channels/:id',
    {
      config: administer,
      schema: {
        summary: 'Change a channel that was made here; with `revision` only when nobody else did meanwhile',
        tags,
        params,
        querystring: z.object({ revision: z.coerce.number().int().min(0).optional() }),
        body: channelBody,
        response: { 200: madeChannelView },
      },
    },
    ({ params: { id }, query: { revision }, body }) => channels.update(id, { draft: body.channel, takesRest: body.takes_rest, revision }),
  );
  http.delete(
    '/api/channels/:id',
    { config: administer, schema: { summary: 'Remove a channel that was made here and that nothing names', tags, params } },
    async (request, reply) => {
      const { id } = request.params;
      await channels.remove(id, await usedBy(id));
      return reply.code(204).send();
    },
  );
}
