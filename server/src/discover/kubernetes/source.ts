import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import type { HttpClientSettings } from '../../platform/fetch/client-config.ts';
import { createHttpClient } from '../../platform/fetch/client.ts';
import type { KubernetesDiscovery, KubernetesRole, TargetGroup } from '../contract.ts';
import type { Sink, SourceDeps } from '../source.ts';
import { type Collection, watchCollection } from './collection.ts';
import type { EndpointSlice, Endpoints, Ingress, KubeObject, Node, Pod, Service } from './objects.ts';
import { type Around, endpointSliceGroup, endpointsGroup, ingressGroup, nodeGroup, podGroup, serviceGroup } from './targets.ts';

/** Changes within this time are told together. */
const GATHER_MS = 500;
/** Where a pod finds who it is. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Kinds that are watched, and where they are in the API. */
const PLACES = {
  node: { api: '/api/v1', resource: 'nodes', namespaced: false },
  namespace: { api: '/api/v1', resource: 'namespaces', namespaced: false },
  pod: { api: '/api/v1', resource: 'pods', namespaced: true },
  service: { api: '/api/v1', resource: 'services', namespaced: true },
  endpoints: { api: '/api/v1', resource: 'endpoints', namespaced: true },
  endpointslice: { api: '/apis/discovery.k8s.io/v1', resource: 'endpointslices', namespaced: true },
  ingress: { api: '/apis/networking.k8s.io/v1', resource: 'ingresses', namespaced: true },
} as const;
type Kind = keyof typeof PLACES;

/** The kinds that a role needs besides its own. */
function kindsOf({ role, attachNode, attachNamespace }: KubernetesDiscovery): readonly Kind[] {
  const endpoints: readonly Kind[] = role === 'endpoints' || role === 'endpointslice' ? ['pod', 'service'] : [];
  const node: readonly Kind[] = attachNode && (role === 'pod' || endpoints.length > 0) ? ['node'] : [];
  const namespace: readonly Kind[] = attachNamespace && role !== 'node' ? ['namespace'] : [];
  return [role, ...endpoints, ...node, ...namespace];
}

/** The objects of a cluster as targets, followed as they change. */
export function startKubernetesSource(config: KubernetesDiscovery, deps: SourceDeps, sink: Sink): AsyncDisposable {
  let api: Api;
  try {
    api = apiOf(config, deps);
  } catch (thrown) {
    const reason = messageOf(thrown);
    const later = deps.clock.after(0, () => sink.failed(reason));
    return { [Symbol.asyncDispose]: async () => later[Symbol.dispose]() };
  }
  const client = createHttpClient(api.client, deps);
  const watches = new Map<Kind, Collection<KubeObject>[]>();
  let gathering: Disposable | undefined;
  const tell = (): void => {
    gathering = undefined;
    const all = [...watches.values()].flat();
    const fault = all.map((one) => one.fault()).find((one) => one !== '');
    if (!all.every((one) => one.listed())) {
      if (fault !== undefined) sink.failed(fault);
      return;
    }
    sink.groups(
      groupsOf(config.role, (kind) => watches.get(kind) ?? []),
      fault,
    );
  };
  const onChange = (): void => {
    gathering ??= deps.clock.after(GATHER_MS, tell);
  };
  for (const kind of kindsOf(config)) {
    const { api: prefix, resource, namespaced } = PLACES[kind];
    const query = selectorOf(config, kind);
    const paths = namespaced && api.namespaces.length > 0 ? api.namespaces.map((one) => `namespaces/${one}/${resource}`) : [resource];
    const started = paths.map((path) => watchCollection({ client, url: `${api.base}${prefix}/${path}`, query, onChange }, deps));
    watches.set(kind, started);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      gathering?.[Symbol.dispose]();
      await Promise.all([...watches.values()].flat().map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

function selectorOf({ selectors }: KubernetesDiscovery, kind: Kind): Readonly<Record<string, string>> {
  const found = selectors.find(({ role }) => role === kind);
  return {
    ...(found === undefined || found.label === '' ? {} : { labelSelector: found.label }),
    ...(found === undefined || found.field === '' ? {} : { fieldSelector: found.field }),
  };
}

type Find = (kind: Kind) => readonly Collection<KubeObject>[];

function groupsOf(role: KubernetesRole, watched: Find): readonly TargetGroup[] {
  // What a kind's objects look like is promised by the path they were read from.
  const lookUp = <T extends KubeObject>(kind: Kind, key: string): T | undefined => {
    for (const { objects } of watched(kind)) if (objects.has(key)) return objects.get(key) as T;
    return undefined;
  };
  const around: Around = {
    pod: (namespace, name) => lookUp<Pod>('pod', `${namespace}/${name}`),
    service: (namespace, name) => lookUp<Service>('service', `${namespace}/${name}`),
    node: (name) => lookUp<Node>('node', name),
    namespace: (name) => lookUp('namespace', name),
    nodesWatched: watched('node').length > 0,
  };
  return watched(role).flatMap(({ objects }) => [...objects.values()].map((object) => groupOf(role, object, around)));
}

function groupOf(role: KubernetesRole, object: KubeObject, around: Around): TargetGroup {
  switch (role) {
    case 'node':
      return nodeGroup(object as Node);
    case 'pod':
      return podGroup(object as Pod, around);
    case 'service':
      return serviceGroup(object as Service, around);
    case 'endpoints':
      return endpointsGroup(object as Endpoints, around);
    case 'endpointslice':
      return endpointSliceGroup(object as EndpointSlice, around);
    case 'ingress':
      return ingressGroup(object as Ingress, around);
  }
}

type Api = { readonly base: string; readonly client: HttpClientSettings; readonly namespaces: readonly string[] };

/** Where the API is and who we are there. Throws a sentence when neither the configuration nor a cluster around us says it. */
function apiOf(config: KubernetesDiscovery, deps: SourceDeps): Api {
  const account = deps.serviceAccount ?? SERVICE_ACCOUNT;
  const own = config.ownNamespace ? [ownNamespace(account)] : [];
  const namespaces = [...new Set([...own, ...config.namespaces])];
  if (config.apiServer !== undefined) return { base: config.apiServer.replace(/\/$/, ''), client: config.client, namespaces };
  const environment = deps.environment ?? process.env;
  const [host, port] = [environment['KUBERNETES_SERVICE_HOST'], environment['KUBERNETES_SERVICE_PORT']];
  if (!host || !port) throw new Error('not inside of a Kubernetes cluster: write api_server');
  return {
    base: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespaces,
    client: {
      ...config.client,
      auth: { kind: 'authorization', type: 'Bearer', credentials: { file: join(account, 'token') } },
      tls: { ...config.client.tls, ca: { file: join(account, 'ca.crt') } },
    },
  };
}

function ownNamespace(account: string): string {
  const path = join(account, 'namespace');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    throw new Error(`own_namespace: ${messageOf(thrown)}`, { cause: thrown });
  }
}
