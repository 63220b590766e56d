import { readFile } from 'node:fs/promises';
import { messageOf } from '@nines/base/errors.ts';
import { createResolver } from '../platform/fetch/dial.ts';
import { startLoop } from '../platform/loop.ts';
import type { DnsDiscovery, TargetGroup } from './contract.ts';
import type { Sink, SourceDeps } from './source.ts';

/** One question, and how often it is asked again. */
const ASKING = { timeout: 5_000, tries: 2 };
/** Names asked for at once. */
const MAX_PARALLEL = 8;

/** Records of the DNS, asked for every `refreshMs`. A name that does not exist has no targets; one that fails keeps its last. */
export function startDnsSource(config: DnsDiscovery, deps: SourceDeps, sink: Sink): AsyncDisposable {
  const resolver = createResolver(ASKING);
  if (deps.dnsServers !== undefined) resolver.setServers([...deps.dnsServers]);
  const known = new Map<string, TargetGroup>();
  return startLoop({
    clock: deps.clock,
    logger: deps.logger,
    name: 'dns discovery',
    everyMs: config.refreshMs,
    step: async () => {
      const search = await searchList();
      const faults: string[] = [];
      const one = async (name: string): Promise<void> => {
        try {
          known.set(name, { source: name, labels: {}, targets: await recordsOf(name, { config, resolver, search }) });
        } catch (thrown) {
          faults.push(`${name}: ${messageOf(thrown)}`);
        }
      };
      for (let from = 0; from < config.names.length; from += MAX_PARALLEL)
        await Promise.all(config.names.slice(from, from + MAX_PARALLEL).map(one));
      sink.groups([...known.values()], faults.join('; '));
    },
  });
}

type Resolver = ReturnType<typeof createResolver>;
type Question = { readonly config: DnsDiscovery; readonly resolver: Resolver; readonly search: SearchList };

/** The first of the names that exists, asked in the order of the resolver's search list. */
async function recordsOf(name: string, { config, resolver, search }: Question): Promise<TargetGroup['targets']> {
  for (const candidate of candidatesOf(name, search)) {
    try {
      const found = await ask(candidate, config, resolver);
      if (found.length > 0) return found.map((labels) => ({ ...labels, __meta_dns_name: name }));
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') throw thrown;
    }
  }
  return [];
}

async function ask(name: string, { type, port }: DnsDiscovery, resolver: Resolver): Promise<readonly Record<string, string>[]> {
  switch (type) {
    case 'SRV': {
      const records = await resolver.resolveSrv(name);
      return records.map((one) => ({
        __address__: hostPort(one.name, one.port),
        __meta_dns_srv_record_target: rooted(one.name),
        __meta_dns_srv_record_port: String(one.port),
      }));
    }
    case 'MX': {
      const records = await resolver.resolveMx(name);
      return records.map(({ exchange }) => ({ __address__: hostPort(exchange, port), __meta_dns_mx_record_target: rooted(exchange) }));
    }
    case 'NS': {
      const records = await resolver.resolveNs(name);
      return records.map((one) => ({ __address__: hostPort(one, port), __meta_dns_ns_record_target: rooted(one) }));
    }
    case 'A':
      return (await resolver.resolve4(name)).map((address) => ({ __address__: hostPort(address, port) }));
    case 'AAAA':
      return (await resolver.resolve6(name)).map((address) => ({ __address__: hostPort(address, port) }));
  }
}

const hostPort = (host: string, port: number): string => {
  const plain = host.replace(/\.$/, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
};
/** As it stands in the record. */
const rooted = (name: string): string => (name.endsWith('.') ? name : `${name}.`);

export type SearchList = { readonly domains: readonly string[]; readonly dots: number };

/** `search` and `ndots` of resolv.conf(5); the resolver itself asks for names as they are. */
async function searchList(): Promise<SearchList> {
  return parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
}

export function parseResolvConf(written: string): SearchList {
  let domains: readonly string[] = [];
  let dots = 1;
  for (const line of written.split('\n')) {
    const [key, ...values] = line.trim().split(/\s+/);
    if (key === 'search' || key === 'domain') domains = values;
    if (key === 'options') dots = Number(values.find((one) => one.startsWith('ndots:'))?.slice('ndots:'.length) ?? dots);
  }
  return { domains, dots };
}

/** What a name may mean, in the order to be asked: with few dots the search list first, otherwise the name as it is. */
export function candidatesOf(name: string, { domains, dots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const below = domains.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 >= dots ? [name, ...below] : [...below, name];
}
