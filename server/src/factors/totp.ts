import { createHmac, timingSafeEqual } from 'node:crypto';
import { toBase32 } from './base32.ts';

/** What every authenticator app does without being told: RFC 6238 with SHA-1, six digits, thirty seconds. */
export const TOTP_STEP_MS = 30_000;
export const TOTP_DIGITS = 6;
/** RFC 4226, section 4, R6: 160 bits. */
export const TOTP_SECRET_BYTES = 20;
/** Steps before and after the present one that are taken as well: clocks of phones, and the time it takes to type. */
const SKEW_STEPS = 1;

type Shape = { readonly digits?: number; readonly algorithm?: 'sha1' | 'sha256' | 'sha512' };

/** The number of the step that an instant lies in. */
export const stepAt = (nowMs: number): number => Math.floor(nowMs / TOTP_STEP_MS);

/** RFC 4226, section 5.3, for the counter `step`. */
export function totpCode(secret: Uint8Array, step: number, { digits = TOTP_DIGITS, algorithm = 'sha1' }: Shape = {}): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac(algorithm, secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

export type TotpVerdict =
  | { readonly kind: 'fits'; readonly step: number }
  /** Right, but this step or a later one was used before. */
  | { readonly kind: 'used' }
  | { readonly kind: 'wrong' };

/** `lastStep` is the last step that was used; -1 before the first. The work does not depend on where the code differs. */
export function judgeTotp(secret: Uint8Array, code: string, nowMs: number, lastStep: number): TotpVerdict {
  const typed = Buffer.from(code);
  const present = stepAt(nowMs);
  let found = -1;
  for (let step = Math.max(0, present - SKEW_STEPS); step <= present + SKEW_STEPS; step++) {
    const expected = Buffer.from(totpCode(secret, step));
    if (typed.length === expected.length && timingSafeEqual(typed, expected)) found = step;
  }
  if (found < 0) return { kind: 'wrong' };
  return found > lastStep ? { kind: 'fits', step: found } : { kind: 'used' };
}

/** What the QR code says. Source: the key URI format that Google Authenticator introduced and every app reads. */
export function totpUri({ secret, person, host }: { readonly secret: Uint8Array; readonly person: string; readonly host: string }): string {
  const issuer = `Nines ${host}`;
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(person)}`;
  const query = [
    `secret=${toBase32(secret)}`,
    `issuer=${encodeURIComponent(issuer)}`,
    'algorithm=SHA1',
    `digits=${TOTP_DIGITS}`,
    `period=${TOTP_STEP_MS / 1_000}`,
  ];
  return `otpauth://totp/${label}?${query.join('&')}`;
}
