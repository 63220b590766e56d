import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesRole, TargetGroup } from '../contract.ts';
import { type Cluster, openCluster } from '../testing/cluster.ts';
import type { EndpointSlice, Endpoints, Ingress, KubeObject, Node, Pod, Service } from './objects.ts';

/**
 * What each role says of its targets: exactly the labels that Prometheus 3.14 documents, no fewer and no other ones.
 * Source: prometheus.io/docs/prometheus/latest/configuration/configuration, <kubernetes_sd_config>.
 */
const LABELLED = { labels: { 'a.b/c': 'l' }, annotations: { 'd-e': 'n' } } as const;
const named = <T extends string>(name: T, namespace = 'shop') => ({ name, namespace, ...LABELLED });
/** The labels that come of an object's labels and annotations. */
const each = (kind: string): readonly string[] =>
  ['label_a_b_c', 'labelpresent_a_b_c', 'annotation_d_e', 'annotationpresent_d_e'].map((label) => `${kind}_${label}`);

const node: Node = {
  metadata: { name: 'n1', ...LABELLED },
  spec: { providerID: 'cloud://1' },
  status: {
    addresses: [
      { type: 'Hostname', address: 'one' },
      { type: 'ExternalDNS', address: 'one.test' },
      { type: 'InternalDNS', address: 'one.internal' },
    ],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'MemoryPressure', status: 'Unknown' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
  },
};
const pod: Pod = {
  metadata: { ...named('p1'), uid: 'u1', ownerReferences: [{ kind: 'ReplicaSet', name: 'rs', controller: true }] },
  spec: {
    nodeName: 'n1',
    containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] }],
    initContainers: [{ name: 'sidecar', image: 's:1', ports: [{ name: 'side', containerPort: 81, protocol: 'TCP' }] }],
  },
  status: {
    phase: 'Running',
    podIP: '10.1.0.1',
    hostIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'web', containerID: 'containerd://w' }],
    initContainerStatuses: [{ name: 'sidecar', containerID: 'containerd://s' }],
  },
};
const service = (changes: Service['spec']): Service => ({
  metadata: named('web'),
  spec: { type: 'ClusterIP', clusterIP: '10.9.0.1', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...changes },
});
const namespace: KubeObject = { metadata: { name: 'shop', ...LABELLED } };
const endpoints: Endpoints = {
  metadata: named('web'),
  subsets: [
    {
      addresses: [{ ip: '10.1.0.1', hostname: 'h1', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'p1', namespace: 'shop' } }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  ],
};
const slice: EndpointSlice = {
  metadata: { ...named('web-x'), labels: { ...LABELLED.labels, 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [
    {
      addresses: ['10.1.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      hostname: 'h1',
      nodeName: 'n1',
      zone: 'z1',
      targetRef: { kind: 'Pod', name: 'p1', namespace: 'shop' },
      deprecatedTopology: { 'kubernetes.io/zone': 'z1' },
    },
  ],
  ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
};
const ingress: Ingress = {
  metadata: named('web'),
  spec: { ingressClassName: 'nginx', tls: [{ hosts: ['shop.test'] }], rules: [{ host: 'shop.test', http: { paths: [{ path: '/a' }] } }] },
};

const PATHS = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  services: '/api/v1/services',
  namespaces: '/api/v1/namespaces',
  endpoints: '/api/v1/endpoints',
  slices: '/apis/discovery.k8s.io/v1/endpointslices',
  ingresses: '/apis/networking.k8s.io/v1/ingresses',
} as const;
const CONTAINER = ['name', 'image', 'init', 'port_name', 'port_number', 'port_protocol'].map((label) => `pod_container_${label}`);
const POD = [
  ...['name', 'ip', 'ready', 'phase', 'node_name', 'host_ip', 'uid', 'controller_kind', 'controller_name'].map((label) => `pod_${label}`),
  ...each('pod'),
];
const ATTACHED_NODE = ['node_name', ...each('node')];
const ATTACHED_NAMESPACE = each('namespace');
const OF_SERVICE = ['service_name', ...each('service')];

type Row = {
  readonly objects: readonly (readonly [path: string, object: KubeObject])[];
  readonly addresses: readonly string[];
  /** All of them stand at the first target, without `__meta_kubernetes_`. */
  readonly labels: readonly string[];
};
const around = [
  [PATHS.nodes, node],
  [PATHS.namespaces, namespace],
  [PATHS.services, service({})],
  [PATHS.pods, pod],
] as const;
const ROLES: Readonly<Record<KubernetesRole, Row>> = {
  node: {
    objects: [[PATHS.nodes, node]],
    addresses: ['one.internal:10250'],
    labels: [
      'node_name',
      'node_provider_id',
      'node_address_Hostname',
      'node_address_ExternalDNS',
      'node_address_InternalDNS',
      'node_condition_ready',
      'node_condition_memorypressure',
      ...each('node'),
    ],
  },
  pod: {
    objects: around,
    addresses: ['10.1.0.1:80', '10.1.0.1:81'],
    labels: ['namespace', ...POD, ...CONTAINER, 'pod_container_id', ...ATTACHED_NODE, ...ATTACHED_NAMESPACE],
  },
  service: {
    objects: around,
    addresses: ['web.shop.svc:80'],
    labels: [
      'namespace',
      'service_port_name',
      'service_port_number',
      'service_port_protocol',
      'service_type',
      'service_cluster_ip',
      ...OF_SERVICE,
      ...ATTACHED_NAMESPACE,
    ],
  },
  endpoints: {
    objects: [...around, [PATHS.endpoints, endpoints]],
    addresses: ['10.1.0.1:80', '10.1.0.1:81'],
    labels: [
      'namespace',
      'endpoints_name',
      'endpoint_hostname',
      'endpoint_node_name',
      'endpoint_ready',
      'endpoint_port_name',
      'endpoint_port_protocol',
      'endpoint_address_target_kind',
      'endpoint_address_target_name',
      ...each('endpoints'),
      ...OF_SERVICE,
      ...POD,
      ...CONTAINER,
      ...ATTACHED_NODE,
      ...ATTACHED_NAMESPACE,
    ],
  },
  endpointslice: {
    objects: [...around, [PATHS.slices, slice]],
    addresses: ['10.1.0.1:80', '10.1.0.1:81'],
    labels: [
      ...[
        'name',
        'address_type',
        'address_target_kind',
        'address_target_name',
        'port',
        'port_name',
        'port_protocol',
        'port_app_protocol',
      ].map((label) => `endpointslice_${label}`),
      ...['conditions_ready', 'conditions_serving', 'conditions_terminating', 'hostname', 'node_name', 'zone'].map(
        (label) => `endpointslice_endpoint_${label}`,
      ),
      'endpointslice_endpoint_topology_kubernetes_io_zone',
      'endpointslice_endpoint_topology_present_kubernetes_io_zone',
      'endpointslice_label_kubernetes_io_service_name',
      'endpointslice_labelpresent_kubernetes_io_service_name',
      'namespace',
      ...each('endpointslice'),
      ...OF_SERVICE,
      ...POD,
      ...CONTAINER,
      ...ATTACHED_NODE,
      ...ATTACHED_NAMESPACE,
    ],
  },
  ingress: {
    objects: [...around, [PATHS.ingresses, ingress]],
    addresses: ['shop.test'],
    labels: [
      'namespace',
      'ingress_name',
      'ingress_class_name',
      'ingress_scheme',
      'ingress_host',
      'ingress_path',
      ...each('ingress'),
      ...ATTACHED_NAMESPACE,
    ],
  },
};

const META = '__meta_kubernetes_';
const labelsOf = ({ labels, targets }: TargetGroup, at = 0): ReadonlyMap<string, string> =>
  new Map(Object.entries({ ...labels, ...targets[at] }).filter(([, value]) => value !== ''));
const addresses = (groups: readonly TargetGroup[]): readonly string[] =>
  groups.flatMap(({ targets }) => targets.map((target) => target['__address__'] ?? ''));
const firstGroup = async (cluster: Cluster): Promise<TargetGroup> => {
  const [group] = await cluster.until('a group', (groups) => groups.length > 0);
  assert.ok(group !== undefined);
  return group;
};
const ATTACH = { attach_metadata: { node: true, namespace: true } };

for (const [role, { objects, addresses: wanted, labels }] of Object.entries(ROLES) as readonly (readonly [KubernetesRole, Row])[]) {
  test(`role ${role}: the labels that are documented, and no others`, async () => {
    await using cluster = await openCluster({ role, ...ATTACH }, (api) => {
      for (const [path, object] of objects) api.put(path, object);
    });
    const group = await firstGroup(cluster);
    assert.deepEqual(addresses([group]), wanted);
    const names = [...labelsOf(group).keys()].filter((name) => name.startsWith(META)).map((name) => name.slice(META.length));
    assert.deepEqual(names.sort(), [...new Set(labels)].sort());
  });
}

test('values of the labels that are made, not copied', async () => {
  await using nodes = await openCluster({ role: 'node' }, (api) => api.put(PATHS.nodes, node));
  const labels = labelsOf(await firstGroup(nodes));
  assert.deepEqual(
    [labels.get('instance'), labels.get(`${META}node_condition_ready`), labels.get(`${META}node_condition_memorypressure`)],
    ['n1', 'true', 'unknown'],
  );
  await using pods = await openCluster({ role: 'pod' }, (api) => api.put(PATHS.pods, pod));
  const group = await firstGroup(pods);
  const init = [0, 1].map((at) => labelsOf(group, at).get(`${META}pod_container_init`));
  assert.deepEqual(init, ['false', 'true']);
});

test('services outside of the cluster and behind a load balancer', async () => {
  const cases = [
    [{ type: 'ExternalName', externalName: 'db.test' }, 'service_external_name', 'db.test', 'service_cluster_ip'],
    [{ type: 'LoadBalancer', loadBalancerIP: '192.0.2.1' }, 'service_loadbalancer_ip', '192.0.2.1', 'service_external_name'],
  ] as const;
  for (const [spec, label, value, absent] of cases) {
    await using cluster = await openCluster({ role: 'service' }, (api) => api.put(PATHS.services, service(spec)));
    const labels = labelsOf(await firstGroup(cluster));
    assert.deepEqual([labels.get(`${META}${label}`), labels.has(`${META}${absent}`)], [value, false]);
  }
});

test('of a service with two address families only the slices of the primary one make targets', async () => {
  const other: EndpointSlice = {
    ...slice,
    metadata: { ...slice.metadata, name: 'web-y' },
    addressType: 'IPv6',
    endpoints: [{ addresses: ['fd00::1'] }],
  };
  const found = async (spec: Service['spec']): Promise<readonly string[]> => {
    await using cluster = await openCluster({ role: 'endpointslice' }, (api) => {
      for (const one of [slice, other]) api.put(PATHS.slices, one);
      api.put(PATHS.services, service(spec));
    });
    return addresses(await cluster.until('both slices', (groups) => groups.length === 2));
  };
  assert.deepEqual(await found({ ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] }), ['[fd00::1]:80']);
  assert.deepEqual(await found({ ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] }), ['10.1.0.1:80']);
  assert.deepEqual(await found({ ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }), ['10.1.0.1:80', '[fd00::1]:80']);
});

test('with nodes attached, pods on nodes that the selectors leave out are no targets', async () => {
  const elsewhere: Pod = { ...pod, metadata: { ...pod.metadata, name: 'p2' }, spec: { ...pod.spec, nodeName: 'n2' } };
  await using cluster = await openCluster({ role: 'pod', ...ATTACH, selectors: [{ role: 'node', label: 'zone=a' }] }, (api) => {
    api.put(PATHS.nodes, node);
    for (const one of [pod, elsewhere]) api.put(PATHS.pods, one);
  });
  const groups = await cluster.until('both pods', (all) => all.length === 2);
  assert.deepEqual(addresses(groups), ['10.1.0.1:80', '10.1.0.1:81']);
  assert.ok(cluster.api.asked.includes('LIST /api/v1/nodes zone=a'));
});
