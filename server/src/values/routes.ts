import { AppError } from '@nines/base/errors.ts';
import type { Http, StreamReaders } from '../platform/http/contract.ts';
import { followBody, followView } from './contract.ts';
import type { Values } from './service.ts';

/** `PUT /api/stream/queries`. */
export function valueRoutes(http: Http, { values, streams }: { readonly values: Values; readonly streams: StreamReaders }): void {
  http.put(
    '/api/stream/queries',
    {
      // What is followed is evaluated within the scope of whoever opened the stream.
      config: { permission: 'read', scoped: 'handler' },
      schema: {
        summary: 'The queries whose values a live stream is told',
        description: 'Replaces those before. Values come over the stream, first everything that is known, then what changes.',
        tags: ['query'],
        body: followBody,
        response: { 200: followView },
      },
    },
    async (request) => {
      const { stream, queries } = request.body;
      const reader = streams.find(request.actor, stream);
      if (reader === undefined) throw new AppError('not_found', 'stream_not_found', 'you have no live stream of that name; open it first');
      return values.follow(reader, queries);
    },
  );
}
