import { isIP } from 'node:net';
import { inNetworks } from '../networks.ts';
import type { ProxySettings } from './client-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that a request to `target` goes through, or undefined when it goes straight. A `proxy_url` alone takes everything;
 * with `no_proxy`, and from the environment, this host and what the list names go straight.
 * Source: golang.org/x/net/http/httpproxy.
 */
export function proxyFor(target: URL, settings: ProxySettings | undefined, environment: Environment): string | undefined {
  if (settings === undefined) return undefined;
  if (settings.kind === 'url') {
    return settings.noProxy !== '' && goesStraight(target, settings.noProxy) ? undefined : settings.url;
  }
  const named = (name: string): string | undefined => environment[name] || environment[name.toLowerCase()] || undefined;
  const url = target.protocol === 'https:' ? named('HTTPS_PROXY') : named('HTTP_PROXY');
  if (url === undefined || goesStraight(target, named('NO_PROXY') ?? '')) return undefined;
  return url.includes('://') ? url : `http://${url}`;
}

/** Entries are `*`, an address, a network (`10.0.0.0/8`), or a domain with everything below it, each with a port or without. */
function goesStraight(target: URL, list: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return list.split(',').some((entry) => covers(entry.trim().toLowerCase(), host, port));
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return inNetworks([entry])(host);
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry);
  const name = parts?.[1] ?? parts?.[2] ?? entry;
  if (parts?.[3] !== undefined && parts[3] !== port) return false;
  if (isIP(name) !== 0) return name === host;
  const domain = name.replace(/^\*?\./, '');
  return host.endsWith(`.${domain}`) || (host === domain && !/^\*?\./.test(name));
}
