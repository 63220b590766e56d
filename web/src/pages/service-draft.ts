/** A service made from two lines a person typed: its name, and what to ask. Pure. */
import type { WrittenServiceWire } from '../api/wire.ts';

/** Longest id that objects may have. */
const MOST_ID_CHARS = 63;

/** The name as an id for addresses and labels: `Web shop (EU)` → `web-shop-eu`. Empty when nothing of it can stand in an id. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MOST_ID_CHARS - '-http'.length)
    .replace(/^-+|-+$/g, '');
}

export type Draft = { readonly name: string; readonly target: string; readonly interval: string; readonly timeout?: string };

/** An address with a scheme is asked over HTTP; `host:port` is connected to. */
export function serviceOf({ name, target, ...paced }: Draft): WrittenServiceWire {
  const id = slugOf(name);
  const asked = target.trim();
  const checks: WrittenServiceWire['checks'] = /^https?:\/\//i.test(asked)
    ? [{ id: `${id}-http`, kind: 'http', url: asked, ...paced }]
    : [{ id: `${id}-tcp`, kind: 'tcp', address: asked, ...paced }];
  return { id, name: name.trim(), checks };
}
