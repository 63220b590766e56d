import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { IMPORT_FORMATS, type ImportReport, importReport } from './contract.ts';
import type { Sent, TransferService } from './service.ts';

const importQuery = z.object({ format: z.enum(IMPORT_FORMATS) });

/** `/api/import` answers with the counts; `/api/v1/import` as VictoriaMetrics does, for its clients. In a scope of their own: the bodies are raw streams. */
export function transferRoutes(http: Http, { transfer }: { readonly transfer: TransferService }): void {
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const config = { permission: 'ingest', scoped: 'handler', slowBody: true } as const;
    scope.post(
      '/api/import',
      {
        config,
        schema: {
          summary: 'Imports samples of any age within retention',
          tags: ['ingest'],
          querystring: importQuery,
          response: { 200: importReport },
        },
      },
      (request) => transfer.import((request.query as z.output<typeof importQuery>).format, bodyOf(request), sentBy(request)),
    );
    scope.post(
      '/api/v1/import',
      { config, schema: { summary: "Imports VictoriaMetrics' lines of JSON", tags: ['ingest'] } },
      async (request: FastifyRequest, reply: FastifyReply) => {
        const report = await transfer.import('vmjson', bodyOf(request), sentBy(request));
        const text = complaint(report);
        if (text === undefined) return reply.code(204).send();
        return reply.code(400).type('text/plain; charset=utf-8').serializer(String).send(`${text}\n`);
      },
    );
  });
}

const bodyOf = (request: { readonly body: unknown; readonly raw: Readable }): Readable => (request.body ?? request.raw) as Readable;

const sentBy = ({ headers, actor }: Pick<FastifyRequest, 'headers' | 'actor'>): Sent => ({
  encoding: headers['content-encoding']?.toLowerCase(),
  scope: actor.scope,
});

/** Lines of a plain answer. */
const MAX_LISTED = 10;

function complaint(report: ImportReport): string | undefined {
  if (report.refused === 0 && report.bad_lines === 0) return undefined;
  const lines = [
    `${report.stored + report.repeated} samples are stored, ${report.refused} were refused, ${report.bad_lines} lines could not be read`,
  ];
  for (const { line, reason } of report.bad_lines_listed.slice(0, MAX_LISTED)) lines.push(`line ${line}: ${reason}`);
  for (const { series, at_ms, reason, detail } of report.refused_listed.slice(0, MAX_LISTED))
    lines.push(`${series} at ${at_ms}: ${reason}: ${detail}`);
  return lines.join('\n');
}
