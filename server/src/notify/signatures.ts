import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Compares without telling by the time it takes how much of it fits. */
export const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const hmac = (algorithm: 'sha1' | 'sha256', secret: string, text: string): Buffer =>
  createHmac(algorithm, secret).update(text).digest();
