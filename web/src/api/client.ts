import { refusalOf } from './permits.ts';
import { ApiProblem, NOT_PERMITTED, problemOf } from './problem.ts';
import { askForProof } from './step-up.ts';
import { t } from '../language/t.ts';

/** Longer than any answer of the page's own queries takes; a request that hangs says so instead of spinning for ever. */
const REQUEST_TIMEOUT_MS = 30_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RequestOptions = { readonly method?: Method; readonly body?: unknown; readonly signal?: AbortSignal };

/**
 * One request to the product's own API. Returns the parsed JSON body, `undefined` for an empty one.
 * Throws `ApiProblem` for refusals, for an unreachable server (status 0) and for an answer that is no JSON.
 * `signal` aborts the request; the abort itself is thrown as it is. One that wants a proof of who the person is asks for it and is
 * sent again.
 */
export function request<Body>(path: string, options: RequestOptions = {}): Promise<Body> {
  return proven(async () => {
    const { response, where } = await answerOf(path, options);
    const text = await response.text();
    const body = parseBody(text);
    if (!response.ok) throw problemOf(body, { status: response.status, where });
    if (body === undefined && text !== '') {
      throw new ApiProblem(t('The answer is not JSON; a proxy may stand between.'), { status: response.status, code: 'not_json', where });
    }
    // The wire's shape is the server's contract; it is not validated a second time here.
    return body as Body;
  });
}

/** The same for an answer that is a file. */
export function requestFile(path: string, options: RequestOptions = {}): Promise<Blob> {
  return proven(async () => {
    const { response, where } = await answerOf(path, options);
    if (!response.ok) throw problemOf(parseBody(await response.text()), { status: response.status, where });
    return response.blob();
  });
}

/** Does it; again after a proof of who the person is where that was all that was missing. */
async function proven<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (thrown) {
    const kinds = thrown instanceof ApiProblem ? thrown.proofKinds : undefined;
    if (kinds === undefined || !(await askForProof(kinds))) throw thrown;
    return ask();
  }
}

async function answerOf(path: string, options: RequestOptions): Promise<{ readonly response: Response; readonly where: string }> {
  const method = options.method ?? 'GET';
  const where = `${method} ${path.split('?')[0] ?? path}`;
  const refusal = refusalOf(method, path);
  if (refusal !== undefined) throw new ApiProblem(refusal, { status: 403, code: NOT_PERMITTED, where });
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    headers: { accept: 'application/json', ...(options.body === undefined ? {} : { 'content-type': 'application/json' }) },
    signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
  };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  try {
    return { response: await fetch(path, init), where };
  } catch (thrown) {
    if (options.signal?.aborted === true) throw thrown;
    const message = timeout.aborted ? t('The server did not answer within 30 s.') : t('The server cannot be reached.');
    throw new ApiProblem(message, { status: 0, code: 'unreachable', where });
  }
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What one field of a query may be; a list stands once per value. */
export type QueryFields = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** `path?name=value…`; fields that are `undefined` or empty are left out. */
export function withQuery(path: string, fields: QueryFields): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) for (const one of value) query.append(name, String(one));
    else if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}
