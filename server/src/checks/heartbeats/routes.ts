import { AppError } from '@nines/base/errors.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import type { Heartbeats, Signal } from './service.ts';

/** The end of a job's log; the beginning is kept as the excerpt of a failure. */
const MAX_SAID_BYTES = 1_048_576;

const signalParam = z.string().regex(/^(start|fail|\d{1,3})$/, 'write start, fail, or an exit code from 0 to 255');

/** Signals of jobs: `/api/heartbeat/{id}`, and `/start`, `/fail` or an exit code behind it, as clients of Healthchecks write it. */
export function heartbeatRoutes(http: Http, { heartbeats }: { readonly heartbeats: Pick<Heartbeats, 'signal'> }): void {
  http.register(async (scope) => {
    // Whatever a job pipes in is text, whatever it says it is.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_SAID_BYTES }, (_request, body, done) => done(null, body));
    const config = { permission: 'ingest', scoped: { names: { params: { id: 'check' } } } } as const;
    const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const { id, signal } = request.params as { readonly id: string; readonly signal?: string };
      await heartbeats.signal(id, signalOf(signal), typeof request.body === 'string' ? request.body : '');
      return reply.type('text/plain; charset=utf-8').serializer(String).send('OK\n');
    };
    for (const method of ['GET', 'POST'] as const) {
      scope.route({
        method,
        url: '/api/heartbeat/:id',
        config,
        bodyLimit: MAX_SAID_BYTES,
        schema: { summary: 'A job says that it ended well', tags: ['checks'], params: z.object({ id: z.string() }) },
        handler: answer,
      });
      scope.route({
        method,
        url: '/api/heartbeat/:id/:signal',
        config,
        bodyLimit: MAX_SAID_BYTES,
        schema: {
          summary: 'A job says that it began, that it failed, or with which exit code it ended',
          tags: ['checks'],
          params: z.object({ id: z.string(), signal: signalParam }),
        },
        handler: answer,
      });
    }
  });
}

function signalOf(written: string | undefined): Signal {
  if (written === undefined) return { kind: 'success' };
  if (written === 'start' || written === 'fail') return { kind: written };
  const code = Number(written);
  if (code > 255)
    throw new AppError('bad_input', 'bad_exit_code', `an exit code is between 0 and 255, not ${written}`, { field: 'signal' });
  return { kind: 'exit', code };
}
