import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { realClock } from '../clock.ts';

/** Time to send a whole request; slower senders hold a socket for nothing. Slow bodies only must not pause for so long. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Node's own limit holds for all routes alike, so the server does without it and keeps time here. */
export function limitBodyTime(raw: IncomingMessage, slowBody: boolean): void {
  if (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined) return;
  const tooSlow = (): void => {
    const error = Object.assign(new Error('the request took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    if (!raw.complete) (raw.socket as { readonly server?: EventEmitter }).server?.emit('clientError', error, raw.socket);
  };
  if (slowBody) {
    // A request that was injected has no connection to keep time of.
    if (!('setTimeout' in raw.socket)) return;
    raw.socket.setTimeout(REQUEST_TIMEOUT_MS, tooSlow);
    raw.once('end', () => raw.socket.setTimeout(0, tooSlow));
    return;
  }
  const timer = realClock.after(REQUEST_TIMEOUT_MS, tooSlow);
  raw.once('close', () => timer[Symbol.dispose]());
}
