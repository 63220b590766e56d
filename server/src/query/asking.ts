import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Asking } from './service.ts';

/** Who asks, and that nobody waits for the answer any more. */
export function askingOf(request: FastifyRequest, reply: FastifyReply): Asking {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client is gone'));
  });
  return { scope: request.actor.scope, signal: controller.signal };
}
