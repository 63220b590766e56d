import type { Discover, DiscoveryConfig, DiscoveryStatus, TargetGroup } from './contract.ts';
import { startDnsSource } from './dns.ts';
import { startFileSource } from './file.ts';
import { startHttpSource } from './http.ts';
import { startKubernetesSource } from './kubernetes/source.ts';
import type { Sink, SourceDeps } from './source.ts';

export type DiscoverDeps = SourceDeps & {
  /** Told of every failed attempt. */
  readonly onFailure?: (kind: DiscoveryConfig['kind']) => void;
};

type Shared = {
  readonly watchers: Set<(groups: readonly TargetGroup[]) => void>;
  readonly source: AsyncDisposable;
  /** Undefined until the source spoke for the first time. */
  groups: readonly TargetGroup[] | undefined;
  status: DiscoveryStatus;
};

/** Runs each distinct source once, however many scrape configurations name it. */
export function createDiscover(deps: DiscoverDeps): Discover & AsyncDisposable {
  const running = new Map<string, Shared>();
  const ending = new Set<Promise<void>>();
  const begin = (config: DiscoveryConfig): Shared => {
    const failed = (reason: string): void => {
      // Once per outage: a source that stays away would fill the log.
      if (shared.status.lastError !== reason) deps.logger.warn('targets cannot be discovered', { kind: config.kind, reason });
      shared.status = { ...shared.status, lastError: reason };
      deps.onFailure?.(config.kind);
    };
    const sink: Sink = {
      groups: (groups, fault = '') => {
        shared.groups = groups;
        if (fault === '') shared.status = { config, lastError: '', lastSuccessMs: deps.clock.now() };
        else failed(fault);
        for (const watcher of shared.watchers) watcher(groups);
      },
      failed,
    };
    // Sources speak on a later turn, never from within their start.
    const shared: Shared = {
      watchers: new Set(),
      source: startSource(config, deps, sink),
      groups: undefined,
      status: { config, lastError: '', lastSuccessMs: undefined },
    };
    return shared;
  };
  const end = (key: string, shared: Shared): void => {
    running.delete(key);
    const ended = Promise.resolve(shared.source[Symbol.asyncDispose]()).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  return {
    watch(config, onGroups) {
      const shared = running.get(config.key) ?? begin(config);
      running.set(config.key, shared);
      const watcher = (groups: readonly TargetGroup[]): void => onGroups(groups);
      shared.watchers.add(watcher);
      if (shared.groups !== undefined) onGroups(shared.groups);
      return {
        [Symbol.dispose]: () => {
          if (shared.watchers.delete(watcher) && shared.watchers.size === 0) end(config.key, shared);
        },
      };
    },
    status: () => [...running.values()].map(({ status }) => status),
    async [Symbol.asyncDispose]() {
      for (const [key, shared] of running) end(key, shared);
      await Promise.all(ending);
    },
  };
}

function startSource(config: DiscoveryConfig, deps: SourceDeps, sink: Sink): AsyncDisposable {
  switch (config.kind) {
    case 'file':
      return startFileSource(config, deps, sink);
    case 'http':
      return startHttpSource(config, deps, sink);
    case 'dns':
      return startDnsSource(config, deps, sink);
    case 'kubernetes':
      return startKubernetesSource(config, deps, sink);
  }
}
