import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { AppError } from '@nines/base/errors.ts';

const gunzip = promisify(gunzipCallback);

/** The text of a body, plain or gzip, of at most `maxBytes` when decoded. `AppError`s say what is wrong with it. */
export async function textBody(body: unknown, encoding: string | undefined, maxBytes: number): Promise<string> {
  const bytes = await bodyBytes(body, encoding, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new AppError('bad_input', 'not_utf8', 'the body is not UTF-8', { cause: thrown });
  }
}

/** The same of a body that is no text. */
export const bodyBytes = (body: unknown, encoding: string | undefined, maxBytes: number): Promise<Uint8Array> =>
  plainBytes(body instanceof Uint8Array ? body : new Uint8Array(0), encoding?.toLowerCase() ?? 'identity', maxBytes);

async function plainBytes(body: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array> {
  if (encoding === 'identity' || encoding === '') return body;
  if (encoding !== 'gzip')
    throw new AppError('unsupported', 'unsupported_encoding', `Content-Encoding ${encoding} is not supported; send gzip or plain text`);
  try {
    return await gunzip(body, { maxOutputLength: maxBytes });
  } catch (thrown) {
    const tooLarge = (thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw tooLarge
      ? new AppError('too_large', 'body_too_large', `the decoded body is over the limit of ${maxBytes} bytes`, { cause: thrown })
      : new AppError('bad_input', 'bad_gzip', 'the gzip body is broken', { cause: thrown });
  }
}
