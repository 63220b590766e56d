import type { TargetGroup } from '../contract.ts';
import {
  META,
  type MetaLabels,
  attachedNamespace,
  attachedNode,
  containerLabels,
  containersOf,
  joinHostPort,
  namespaceLabel,
  objectLabels,
  podLabels,
  presentLabels,
  sanitized,
  serviceLabels,
} from './labels.ts';
import type { EndpointPort, EndpointSlice, Endpoints, Ingress, KubeObject, Node, ObjectReference, Pod, Service } from './objects.ts';

/** What the objects of each role are as targets. Pure; source of every rule: prometheus/discovery/kubernetes. */

/** The other objects that an object's targets are described with; those of kinds that are not watched are absent. */
export type Around = {
  readonly pod: (namespace: string, name: string) => Pod | undefined;
  readonly service: (namespace: string, name: string) => Service | undefined;
  readonly node: (name: string) => Node | undefined;
  readonly namespace: (name: string) => KubeObject | undefined;
  /** Whether a node that is not found is none that was asked for. */
  readonly nodesWatched: boolean;
};

const source = (kind: string, { metadata }: KubeObject): string =>
  metadata.namespace === undefined ? `${kind}/${metadata.name}` : `${kind}/${metadata.namespace}/${metadata.name}`;

/** Which address a node is reached at, the first that it has. */
const NODE_ADDRESSES = ['InternalIP', 'InternalDNS', 'ExternalIP', 'ExternalDNS', 'LegacyHostIP', 'Hostname'];

export function nodeGroup(node: Node): TargetGroup {
  const addresses = node.status?.addresses ?? [];
  const first = (type: string): string | undefined => addresses.find((one) => one.type === type)?.address;
  const host = NODE_ADDRESSES.map(first).find((one) => one !== undefined);
  const labels: MetaLabels = { ...objectLabels('node', node), [`${META}node_provider_id`]: node.spec?.providerID ?? '' };
  for (const { type, status } of node.status?.conditions ?? [])
    labels[`${META}node_condition_${sanitized(type.toLowerCase())}`] = status.toLowerCase();
  if (host === undefined) return { source: source('node', node), labels, targets: [] };
  const target: MetaLabels = {
    __address__: joinHostPort(host, node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0),
    instance: node.metadata.name,
  };
  for (const { type } of addresses) target[`${META}node_address_${sanitized(type)}`] = first(type) ?? '';
  return { source: source('node', node), labels, targets: [target] };
}

export function podGroup(pod: Pod, around: Around): TargetGroup {
  const ip = pod.status?.podIP ?? '';
  const nodeName = pod.spec?.nodeName ?? '';
  const node = around.node(nodeName);
  // A pod that is starting or was evicted has no address; one on a node that the selectors leave out is left out too.
  if (ip === '' || (around.nodesWatched && nodeName !== '' && node === undefined))
    return { source: source('pod', pod), labels: {}, targets: [] };
  const labels = {
    ...podLabels(pod),
    ...namespaceLabel(pod),
    ...attachedNode(node),
    ...attachedNamespace(around.namespace(pod.metadata.namespace ?? '')),
  };
  const targets = containersOf(pod).flatMap((one) => {
    const ports = one.container.ports ?? [];
    if (ports.length === 0) return [{ __address__: ip, ...containerLabels(pod, one, undefined) }];
    return ports.map((port) => ({ __address__: joinHostPort(ip, port.containerPort), ...containerLabels(pod, one, port) }));
  });
  return { source: source('pod', pod), labels, targets };
}

export function serviceGroup(service: Service, around: Around): TargetGroup {
  const { metadata, spec } = service;
  const external = spec?.type === 'ExternalName';
  const targets = (spec?.ports ?? []).map((port) => ({
    __address__: joinHostPort(`${metadata.name}.${metadata.namespace}.svc`, port.port),
    [`${META}service_port_name`]: port.name ?? '',
    [`${META}service_port_number`]: String(port.port),
    [`${META}service_port_protocol`]: port.protocol ?? '',
    [`${META}service_type`]: spec?.type ?? '',
    [`${META}service_cluster_ip`]: external ? '' : (spec?.clusterIP ?? ''),
    [`${META}service_loadbalancer_ip`]: spec?.type === 'LoadBalancer' ? (spec.loadBalancerIP ?? '') : '',
    [`${META}service_external_name`]: external ? (spec?.externalName ?? '') : '',
  }));
  const labels = { ...serviceLabels(service), ...attachedNamespace(around.namespace(metadata.namespace ?? '')) };
  return { source: source('svc', service), labels, targets };
}

export function endpointsGroup(endpoints: Endpoints, around: Around): TargetGroup {
  const { namespace = '', name } = endpoints.metadata;
  const service = around.service(namespace, name);
  const backing = createBacking(around, namespace);
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    for (const port of ports) {
      for (const [list, ready] of [[addresses, 'true'] as const, [notReadyAddresses, 'false'] as const]) {
        for (const { ip, hostname, nodeName, targetRef } of list) {
          const on = nodeName ?? (targetRef?.kind === 'Node' ? targetRef.name : undefined) ?? '';
          const labels = {
            __address__: joinHostPort(ip, port.port),
            [`${META}endpoint_port_name`]: port.name ?? '',
            [`${META}endpoint_port_protocol`]: port.protocol ?? '',
            [`${META}endpoint_ready`]: ready,
            [`${META}endpoint_address_target_kind`]: targetRef?.kind ?? '',
            [`${META}endpoint_address_target_name`]: targetRef?.name ?? '',
            [`${META}endpoint_node_name`]: nodeName ?? '',
            [`${META}endpoint_hostname`]: hostname ?? '',
            ...attachedNode(around.node(on)),
          };
          backing.add(labels, port, targetRef);
        }
      }
    }
  }
  const labels = {
    ...objectLabels('endpoints', endpoints),
    ...namespaceLabel(endpoints),
    ...(service === undefined ? {} : serviceLabels(service)),
    ...attachedNamespace(around.namespace(namespace)),
  };
  return { source: source('endpoints', endpoints), labels, targets: backing.targets() };
}

const written = (flag: boolean | undefined): string => (flag === undefined ? '' : String(flag));

export function endpointSliceGroup(slice: EndpointSlice, around: Around): TargetGroup {
  const { namespace = '', labels: own = {} } = slice.metadata;
  const service = around.service(namespace, own['kubernetes.io/service-name'] ?? '');
  if (isSecondaryFamily(slice, service)) return { source: source('endpointslice', slice), labels: {}, targets: [] };
  const backing = createBacking(around, namespace);
  for (const endpoint of slice.endpoints ?? []) {
    const { conditions, targetRef } = endpoint;
    const nodeName = targetRef?.kind === 'Node' ? targetRef.name : endpoint.nodeName;
    for (const port of slice.ports ?? []) {
      for (const address of endpoint.addresses ?? []) {
        const labels = {
          __address__: joinHostPort(address, port.port),
          [`${META}endpointslice_port_name`]: port.name ?? '',
          [`${META}endpointslice_port_protocol`]: port.protocol ?? '',
          [`${META}endpointslice_port`]: port.port === undefined ? '' : String(port.port),
          [`${META}endpointslice_port_app_protocol`]: port.appProtocol ?? '',
          [`${META}endpointslice_endpoint_conditions_ready`]: written(conditions?.ready),
          [`${META}endpointslice_endpoint_conditions_serving`]: written(conditions?.serving),
          [`${META}endpointslice_endpoint_conditions_terminating`]: written(conditions?.terminating),
          [`${META}endpointslice_endpoint_hostname`]: endpoint.hostname ?? '',
          [`${META}endpointslice_endpoint_node_name`]: endpoint.nodeName ?? '',
          [`${META}endpointslice_endpoint_zone`]: endpoint.zone ?? '',
          [`${META}endpointslice_address_target_kind`]: targetRef?.kind ?? '',
          [`${META}endpointslice_address_target_name`]: targetRef?.name ?? '',
          ...presentLabels('endpointslice_endpoint_topology', endpoint.deprecatedTopology),
          ...attachedNode(around.node(nodeName ?? '')),
        };
        backing.add(labels, port, targetRef);
      }
    }
  }
  const labels = {
    ...objectLabels('endpointslice', slice),
    ...namespaceLabel(slice),
    [`${META}endpointslice_address_type`]: slice.addressType ?? '',
    ...(service === undefined ? {} : serviceLabels(service)),
    ...attachedNamespace(around.namespace(namespace)),
  };
  return { source: source('endpointslice', slice), labels, targets: backing.targets() };
}

/** A service of two address families has a slice for each; those of its primary one name every endpoint already. */
function isSecondaryFamily({ addressType }: EndpointSlice, service: Service | undefined): boolean {
  const { ipFamilyPolicy, ipFamilies } = service?.spec ?? {};
  const dual = ipFamilyPolicy === 'PreferDualStack' || ipFamilyPolicy === 'RequireDualStack';
  return dual && ipFamilies?.[0] !== undefined && addressType !== ipFamilies[0];
}

type Backing = {
  add(labels: MetaLabels, port: EndpointPort, ref: ObjectReference | undefined): void;
  targets(): readonly MetaLabels[];
};

/** Only targets of the role pod say which container it is. */
const WITHOUT_ID: MetaLabels = { [`${META}pod_container_id`]: '' };

/** Targets of endpoints, with the labels of the pods behind them; ports of those pods that no endpoint names are targets too. */
function createBacking(around: Around, namespace: string): Backing {
  const targets: MetaLabels[] = [];
  const seen = new Map<Pod, Set<number | undefined>>();
  return {
    add(labels, port, ref) {
      const pod = ref?.kind === 'Pod' ? around.pod(ref.namespace ?? namespace, ref.name ?? '') : undefined;
      if (pod === undefined) {
        targets.push(labels);
        return;
      }
      const ports = seen.get(pod) ?? new Set();
      seen.set(pod, ports.add(port.port));
      const target = { ...labels, ...podLabels(pod) };
      for (const one of containersOf(pod)) {
        const match = one.container.ports?.find(({ containerPort }) => containerPort === port.port);
        if (match !== undefined) Object.assign(target, containerLabels(pod, one, match), WITHOUT_ID);
      }
      targets.push(target);
    },
    targets: () => [...targets, ...[...seen].flatMap(([pod, ports]) => uncovered(pod, ports))],
  };
}

function uncovered(pod: Pod, covered: ReadonlySet<number | undefined>): readonly MetaLabels[] {
  const ip = pod.status?.podIP ?? '';
  if (ip === '') return [];
  return containersOf(pod).flatMap((one) =>
    (one.container.ports ?? [])
      .filter(({ containerPort }) => !covered.has(containerPort))
      .map((port) => ({
        __address__: joinHostPort(ip, port.containerPort),
        ...containerLabels(pod, one, port),
        ...WITHOUT_ID,
        ...podLabels(pod),
      })),
  );
}

export function ingressGroup(ingress: Ingress, around: Around): TargetGroup {
  const { spec } = ingress;
  const secured = (spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
  const targets = (spec?.rules ?? []).flatMap(({ host = '', http }) => {
    const scheme = secured.some((pattern) => matchesHost(pattern, host)) ? 'https' : 'http';
    const paths = http?.paths?.map(({ path }) => path || '/') ?? ['/'];
    return paths.map((path) => ({
      __address__: host,
      [`${META}ingress_scheme`]: scheme,
      [`${META}ingress_host`]: host,
      [`${META}ingress_path`]: path,
    }));
  });
  const labels = {
    ...objectLabels('ingress', ingress),
    ...namespaceLabel(ingress),
    [`${META}ingress_class_name`]: spec?.ingressClassName ?? '',
    ...attachedNamespace(around.namespace(ingress.metadata.namespace ?? '')),
  };
  return { source: source('ingress', ingress), labels, targets };
}

/** `*.shop.test` stands for one label in front. */
function matchesHost(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  const dot = host.indexOf('.');
  return pattern.startsWith('*.') && dot > 0 && host.slice(dot) === pattern.slice(1);
}
