import { AppError } from '@nines/base/errors.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from '../platform/http/contract.ts';
import { statusOf } from '../platform/http/problem.ts';
import { ANSWER_POLICY, type AnswerPage, donePage, questionPage, refusalPage } from './answer-pages.ts';
import type { Callbacks } from './callbacks.ts';
import { pushRoutes } from './push-routes.ts';
import type { NotifyService } from './service.ts';
import type { PushSubscriptions } from './webpush/subscriptions.ts';

const PUBLIC = { config: { permission: 'public' as const, undocumented: true } };
/** A pressed button of Slack carries the whole message with it. */
const MAX_CALLBACK_BYTES = 256 * 1024;

export type AnswerRouteDeps = {
  readonly callbacks: Callbacks;
  readonly push: PushSubscriptions;
  readonly notify: Pick<NotifyService, 'channels'>;
};

/** What comes back from people: browsers that ask for pushes, links in messages, and what providers call with. The latter prove themselves by a signature; nobody signs in. */
export function answerRoutes(http: Http, { callbacks, push, notify }: AnswerRouteDeps): void {
  pushRoutes(http, { push, channels: () => notify.channels() });
  http.register(async (scope) => {
    // Signatures are over the body as it came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_CALLBACK_BYTES }, (_request, body, done) =>
      done(null, String(body)),
    );
    const routes = scope as unknown as Http;
    routes.post('/api/channels/:id/callback', PUBLIC, async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const body = typeof request.body === 'string' ? request.body : '';
      const answer = await callbacks.called(id, { headers: request.headers, body });
      return reply.code(200).type(answer.type).send(answer.body);
    });
    routes.get('/acknowledge/:token', PUBLIC, (request, reply) =>
      send(request as FastifyRequest, reply as unknown as FastifyReply, async (token) =>
        questionPage((await callbacks.linked(token)).alert),
      ),
    );
    routes.post('/acknowledge/:token', PUBLIC, (request, reply) =>
      send(request as FastifyRequest, reply as unknown as FastifyReply, async (token) => donePage(await callbacks.follow(token))),
    );
  });
}

async function send(request: FastifyRequest, reply: FastifyReply, make: (token: string) => Promise<AnswerPage>): Promise<FastifyReply> {
  const { token } = request.params as { readonly token: string };
  const { status, text } = await make(token).catch((thrown: unknown) => {
    if (!(thrown instanceof AppError)) throw thrown;
    return refusalPage(statusOf(thrown), thrown.message);
  });
  reply.headers({
    'content-security-policy': ANSWER_POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
  });
  return reply.code(status).type('text/html; charset=utf-8').send(text);
}
