import { MAX_LINKS, type Panel } from '../model.ts';
import type { Context } from './context.ts';
import { type Fields, objectsAt, textAt } from './fields.ts';

type Link = Panel['links'][number];

/** Links of a panel and of its series. One that holds what only a value under the pointer knows is told as lost. */
export function linksOf(panel: Fields, title: string, context: Context): readonly Link[] {
  const found: Link[] = [];
  for (const one of [...objectsAt(panel, 'links'), ...objectsAt(panel, 'fieldConfig', 'defaults', 'links')].slice(0, 100)) {
    const name = (textAt(one, 'title') || 'Link').slice(0, 200);
    const url = addressOf(context.fill(textAt(one, 'url')));
    const lose = (why: string): void => context.losses.add(title, `the link "${name}"`, why);
    if (url === undefined) lose('it leads to no page here and to no http(s) address, or it needs a value under the pointer');
    else if (found.length >= MAX_LINKS) lose(`a panel has at most ${MAX_LINKS} links`);
    else found.push({ title: name, url });
  }
  return found;
}

/** `/d/UID/web-shop` leads to the dashboard that an import of it makes, by the name in its address. */
function addressOf(written: string): string | undefined {
  const [, uid, slug] = /^\/?d\/([\w-]+)(?:\/([\w-]+))?/.exec(written) ?? [];
  if (uid !== undefined) return `/dashboards/${(slug ?? uid).slice(0, 63)}`;
  if (/\$\{?__/.test(written) || written.length > 2_000) return undefined;
  return /^(?:\/(?![/\\])|https?:\/\/)/.test(written) ? written : undefined;
}
