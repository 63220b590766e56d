import { createHmac } from 'node:crypto';

export const hmac = (algorithm: 'sha1' | 'sha256', secret: string, text: string): Buffer =>
  createHmac(algorithm, secret).update(text).digest();
