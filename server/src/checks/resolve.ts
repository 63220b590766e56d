import { createResolver, lookUp } from '../platform/fetch/dial.ts';
import { type AttemptDeps, untilAborted } from './attempt.ts';

/** One question to the name server must be over within any attempt; the attempt's own deadline usually ends it before. */
const NAME_SERVER_TIMEOUT_MS = 10_000;

/**
 * Finds one address. A name with a dot is asked of the name server directly, because the system's resolver has four threads for the whole
 * process and ten slow names would delay every other check; names that the name server does not know, and names without a dot
 * (`localhost`, a container's name), go to the system, which knows the hosts file and search domains. IPv4 first, unless the check says
 * which: both families are two checks. `servers` are asked in place of the system's name servers.
 */
export function createResolve(servers?: readonly string[]): AttemptDeps['resolve'] {
  const resolver = createResolver({ timeout: NAME_SERVER_TIMEOUT_MS, tries: 1 });
  if (servers !== undefined) resolver.setServers([...servers]);
  return async (host, { ipVersion, signal }) => {
    const direct = host.includes('.') ? await untilAborted(askNameServer(resolver, host, ipVersion), signal) : undefined;
    if (direct !== undefined) return direct;
    const found = await untilAborted(lookUp(host, { family: ipVersion ?? 0, order: 'ipv4first' }), signal);
    return found.address;
  };
}

async function askNameServer(
  resolver: ReturnType<typeof createResolver>,
  host: string,
  ipVersion: 4 | 6 | undefined,
): Promise<string | undefined> {
  const families = ipVersion === undefined ? ([4, 6] as const) : [ipVersion];
  for (const family of families) {
    const addresses = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host)).catch(() => []);
    if (addresses[0] !== undefined) return addresses[0];
  }
  return undefined;
}
