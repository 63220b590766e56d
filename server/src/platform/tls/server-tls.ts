import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { RequestListener, ServerOptions } from 'node:http';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, SECOND_MS } from '@nines/base/units.ts';
import { OWN_LIFE_MS, type Pair } from './authority.ts';

/** How often the files are read: well before anybody who changed them looks whether it helped. */
export const TLS_STEP_MS = 10 * SECOND_MS;
/** Certificates that end sooner are renewed late: those of authorities that renew by themselves are replaced with 30 days left. */
const SOON_MS = 14 * DAY_MS;
/** A slow handshake holds a socket for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;
/** A chain of a dozen certificates; more is some other file. */
const MAX_FILE_BYTES = 256 * 1024;

export type TlsDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly minVersion: 'TLSv1.3' | 'TLSv1.2';
  /** A certificate of our own, made now; or the two files that hold one, read again when they change. */
  readonly source:
    | { readonly kind: 'own'; readonly issue: (nowMs: number) => Pair }
    | { readonly kind: 'files'; readonly cert: string; readonly key: string };
};

type Used = { readonly pair: Pair; readonly untilMs: number; readonly names: string };

export type TlsHealth = { readonly status: 'ok' | 'degraded' | 'failing'; readonly detail: string };

/** The certificate of the listener. Replacing it touches no connection that is open; a pair that cannot be used leaves the one before in use. */
export class ServerTls {
  readonly #deps: TlsDeps;
  readonly #servers = new Set<Server>();
  #used: Used;
  #fault: string | undefined;
  #failures = 0;

  /** `AppError` `bad_certificate` when there is no usable certificate to begin with. */
  constructor(deps: TlsDeps) {
    this.#deps = deps;
    this.#used = this.#read();
  }

  /** A server that shows the certificate in use, whichever that is. */
  createServer(options: ServerOptions, answer: RequestListener): Server {
    const server = createServer(
      { ...options, ...this.#context(), handshakeTimeout: HANDSHAKE_TIMEOUT_MS } as TlsOptions & ServerOptions,
      answer,
    );
    this.#servers.add(server);
    server.on('close', () => this.#servers.delete(server));
    server.on('tlsClientError', (thrown: Error) => this.#deps.logger.debug('a TLS connection failed', { error: thrown.message }));
    return server;
  }

  /** Takes what the files hold now, or a new certificate of our own before the one in use ends. Never throws. */
  step(): void {
    try {
      this.reload();
    } catch {
      // Logged and counted where it was found.
    }
  }

  /** As `step`, and throws `AppError` `bad_certificate` when the files hold none that can be used; the one in use stays. */
  reload(): void {
    const { source, clock, logger } = this.#deps;
    if (source.kind === 'own' && this.#used.untilMs - clock.now() > OWN_LIFE_MS / 3) return;
    let next: Used;
    try {
      next = this.#read();
    } catch (thrown) {
      const fault = messageOf(thrown);
      this.#failures++;
      // The same fault again is no news.
      if (fault !== this.#fault) logger.error('the certificate was not taken over; the one before stays in use', { error: fault });
      this.#fault = fault;
      throw thrown;
    }
    this.#fault = undefined;
    if (next.pair.certificate === this.#used.pair.certificate && next.pair.key === this.#used.pair.key) return;
    this.#used = next;
    for (const server of this.#servers) server.setSecureContext(this.#context());
    logger.info('a new certificate is in use', { names: next.names, until: new Date(next.untilMs).toISOString() });
  }

  /** When the certificate in use ends. */
  get untilMs(): number {
    return this.#used.untilMs;
  }

  /** Attempts to take a new certificate that failed. */
  get failures(): number {
    return this.#failures;
  }

  health(): TlsHealth {
    const leftMs = this.#used.untilMs - this.#deps.clock.now();
    const until = new Date(this.#used.untilMs).toISOString();
    if (leftMs <= 0) return { status: 'failing', detail: `the certificate ended at ${until}` };
    if (this.#fault !== undefined) return { status: 'degraded', detail: `a new certificate cannot be used: ${this.#fault}` };
    if (leftMs < SOON_MS) return { status: 'degraded', detail: `the certificate ends at ${until}` };
    return { status: 'ok', detail: `the certificate for ${this.#used.names} is valid until ${until}` };
  }

  #context(): SecureContextOptions {
    const { certificate, key } = this.#used.pair;
    return { cert: certificate, key, minVersion: this.#deps.minVersion };
  }

  #read(): Used {
    const { source, clock } = this.#deps;
    const pair = source.kind === 'own' ? source.issue(clock.now()) : { certificate: readPem(source.cert), key: readPem(source.key) };
    const files = source.kind === 'own' ? 'our own certificate' : `${source.cert} and ${source.key}`;
    return judge(pair, files, clock.now());
  }
}

function readPem(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= MAX_FILE_BYTES) return bytes.toString('utf8');
  } catch (thrown) {
    throw bad(messageOf(thrown));
  }
  throw bad(`${path} is no certificate: it has more than ${MAX_FILE_BYTES} bytes`);
}

/** What cannot be served with must not replace what can. */
function judge(pair: Pair, files: string, nowMs: number): Used {
  let first: X509Certificate;
  try {
    first = new X509Certificate(pair.certificate);
  } catch {
    throw bad(`${files}: the first holds no certificate in PEM`);
  }
  let fits: boolean;
  try {
    fits = first.checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    throw bad(`${files}: the second holds no private key in PEM (or one that a passphrase protects)`);
  }
  if (!fits) throw bad(`${files}: the private key does not belong to the certificate`);
  const untilMs = first.validToDate.getTime();
  if (untilMs <= nowMs) throw bad(`${files}: the certificate ended at ${first.validToDate.toISOString()}`);
  return { pair, untilMs, names: first.subjectAltName ?? first.subject };
}

const bad = (message: string): AppError => new AppError('bad_input', 'bad_certificate', message);
