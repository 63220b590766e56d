import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '@nines/base/errors.ts';
import type { ImportFormat, ImportReport } from '@nines/server/transfer/contract.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { type RemoteOptions, destination, refusal } from '../remote.ts';

/** Sends a body as it is made and returns what became of it. Waits for the server where that is slower. */
export async function sendImport(
  options: RemoteOptions,
  { format, gzip = false }: { readonly format: ImportFormat; readonly gzip?: boolean },
  body: AsyncIterable<Uint8Array>,
): Promise<ImportReport> {
  const { base, headers } = destination(options);
  const url = new URL(`${base}/api/import?format=${format}`);
  const sending = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/octet-stream', ...(gzip ? { 'content-encoding': 'gzip' } : {}) },
  });
  let response: IncomingMessage | undefined;
  const answered = (once(sending, 'response') as Promise<[IncomingMessage]>).then(([first]) => {
    response = first;
  });
  // Looked at below; until then, and after an answer, nobody waits for these.
  answered.catch(() => undefined);
  sending.on('error', () => undefined);
  try {
    for await (const piece of body) {
      // An answer before the end is a refusal: the rest would be for nothing.
      if (response !== undefined) break;
      if (!sending.write(piece)) await Promise.race([once(sending, 'drain'), answered]);
    }
    sending.end();
    await answered;
  } catch (thrown) {
    sending.destroy();
    if (thrown instanceof CliFailure) throw thrown;
    throw new CliFailure(EXIT.remote, `the import to ${base} broke off: ${messageOf(thrown)}; run it again, what is stored stays`);
  }
  if (response === undefined) throw new CliFailure(EXIT.remote, `no answer from ${base}`);
  const text = await textOf(response);
  if (response.statusCode === 200) return JSON.parse(text) as ImportReport;
  sending.destroy();
  throw refusal(options, response.statusCode ?? 0, text);
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response) text += String(piece);
  return text;
}
