import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { secureSocket } from '../platform/fetch/dial.ts';
import { AttemptEnded, type AttemptRun, untilAborted } from './attempt.ts';
import { down } from './evaluate.ts';
import type { TlsOptions } from './written.ts';

/** `host` is what was asked for; `protocols` are offered by ALPN. */
export type Handshake = {
  readonly socket: Socket;
  readonly host: string;
  readonly tls: TlsOptions;
  readonly protocols?: readonly string[];
};

/** Certificates of a chain that are looked at; real chains have two to four. */
const MAX_CHAIN = 10;

/** Verification is done after the handshake, so that an expired certificate's date is seen even when it is refused. */
export async function shakeHands(
  run: AttemptRun,
  { socket, host, tls, protocols }: Handshake,
): Promise<{ readonly socket: TLSSocket; readonly certificateExpiresAtMs: EpochMs | undefined }> {
  run.enter('tls');
  const servername = tls.server_name ?? (isIP(host) === 0 ? host : '');
  const secure = secureSocket(socket, {
    // Without a name the certificate is still held against what was asked for.
    host: tls.server_name ?? host,
    ...(servername === '' ? {} : { servername }),
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key.reveal() }),
    rejectUnauthorized: false,
  });
  secure.on('error', () => {});
  await untilAborted(once(secure, 'secureConnect'), run.signal);
  run.leave();
  const certificateExpiresAtMs = earliestEnd(secure.getPeerCertificate(true));
  run.seen = { ...run.seen, tls: true, ...(certificateExpiresAtMs === undefined ? {} : { certificateExpiresAtMs }) };
  if (tls.verify && !secure.authorized) {
    throw new AttemptEnded(down('certificate', `the certificate of ${host} is not valid: ${wordsOf(secure.authorizationError)}`));
  }
  return { socket: secure, certificateExpiresAtMs };
}

/** When the first certificate of the chain ends; a root is trusted whatever its date, unless it is all there is. */
function earliestEnd(leaf: DetailedPeerCertificate): EpochMs | undefined {
  let earliestMs = Infinity;
  let one: DetailedPeerCertificate | undefined = leaf;
  for (let depth = 0; one !== undefined && depth < MAX_CHAIN; depth++) {
    const issuer: DetailedPeerCertificate | undefined = one.issuerCertificate;
    const isRoot: boolean = issuer !== undefined && issuer.fingerprint256 === one.fingerprint256;
    const endsMs = Date.parse(one.valid_to);
    if ((!isRoot || depth === 0) && endsMs < earliestMs) earliestMs = endsMs;
    one = isRoot ? undefined : issuer;
  }
  return earliestMs === Infinity ? undefined : epochMs(earliestMs);
}

/** Node gives the code alone, as an error or as text depending on what failed. */
const wordsOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault)).toLowerCase().replaceAll('_', ' ');
