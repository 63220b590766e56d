/** Services from pasted addresses, one a line. Pure. */
import type { WrittenServiceWire } from '../api/wire.ts';
import { serviceOf, slugOf } from '../pages/service-draft.ts';

/** More than these belong into a file. */
export const MOST_PASTED = 100;

/** What a line says: an address alone, or a name before it. `Web shop https://shop.example.org` */
function draftOf(line: string): { readonly name: string; readonly target: string } | undefined {
  const words = line.trim().split(/\s+/);
  const target = words.at(-1) ?? '';
  if (!/^https?:\/\/\S+$/i.test(target) && !/^[^\s:]+:\d{1,5}$/.test(target)) return undefined;
  const named = words.slice(0, -1).join(' ');
  return { name: named === '' ? target.replace(/^https?:\/\//i, '').replace(/\/+$/, '') : named, target };
}

export type Pasted = { readonly services: readonly WrittenServiceWire[]; readonly refused: readonly string[] };

/** The services that the lines name, each id once, and the lines that hold no address. */
export function pastedServices(text: string): Pasted {
  const services = new Map<string, WrittenServiceWire>();
  const refused: string[] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const draft = draftOf(line);
    if (draft === undefined || slugOf(draft.name) === '' || services.size >= MOST_PASTED) refused.push(line.trim());
    else services.set(slugOf(draft.name), serviceOf({ ...draft, interval: '30s' }));
  }
  return { services: [...services.values()], refused };
}
