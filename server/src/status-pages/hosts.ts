import { pagePath } from './contract.ts';
import type { StatusPages } from './pages.ts';

/**
 * Where a request to the host name of a page leads: to that page and nothing else of this server. Paths below the page's own are reached with
 * and without its prefix, because the page itself is the same text under every name.
 */
export function rewriteOf(pages: Pick<StatusPages, 'ofDomain'>): (host: string, url: string) => string {
  return (host, url) => {
    const page = pages.ofDomain(host.replace(/:\d+$/, '').toLowerCase());
    if (page === undefined) return url;
    const prefix = pagePath(page.spec);
    const isBelow = url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`);
    if (isBelow) return url;
    return url === '/' || url.startsWith('/?') ? `${prefix}${url.slice(1)}` : `${prefix}${url}`;
  };
}
