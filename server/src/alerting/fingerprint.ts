import { type Labels, labelPairs } from '@nines/model/labels.ts';

const OFFSET = 14695981039346656037n;
const PRIME = 1099511628211n;
const MASK = 0xffffffffffffffffn;
const SEPARATOR = 0xffn;
const encoder = new TextEncoder();

/**
 * The identity of a label set: FNV-1a of 64 bits over name, 0xff, value, 0xff in label order, as 16 hexadecimal digits.
 * The same text as Alertmanager prints. Source: prometheus/common model.LabelSet.Fingerprint.
 */
export function fingerprintOf(labels: Labels): string {
  let hash = OFFSET;
  const mix = (byte: bigint): void => {
    hash = ((hash ^ byte) * PRIME) & MASK;
  };
  for (const pair of labelPairs(labels)) {
    for (const text of pair) {
      for (const byte of encoder.encode(text)) mix(BigInt(byte));
      mix(SEPARATOR);
    }
  }
  return hash.toString(16).padStart(16, '0');
}
