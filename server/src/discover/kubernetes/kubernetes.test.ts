import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Logger } from '@nines/base/logger.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { type TargetGroup, discoveriesOf } from '../contract.ts';
import { createDiscover } from '../service.ts';
import { openCluster, schema } from '../testing/cluster.ts';
import type { EndpointSlice, Endpoints, Ingress, Node, Pod, Service } from './objects.ts';

const PODS = '/api/v1/pods';
const sources = (groups: readonly TargetGroup[]): string =>
  groups
    .map(({ source }) => source)
    .sort()
    .join();
/** Every label of every target, as relabelling sees them; absent ones left out. */
const flat = (groups: readonly TargetGroup[]): readonly Record<string, string>[] =>
  groups.flatMap(({ labels, targets }) =>
    targets.map((own) => Object.fromEntries(Object.entries({ ...labels, ...own }).filter(([, value]) => value !== ''))),
  );
const strip = (labels: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(labels ?? {}).map(([name, value]) => [name.replace('__meta_kubernetes_', ''), value]));

const pod = (name: string, changes: Partial<Pod['status']> = {}): Pod => ({
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    labels: { 'app.kubernetes.io/name': 'web' },
    annotations: { 'prometheus.io/scrape': 'true' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }],
  },
  spec: {
    nodeName: 'node-1',
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { containerPort: 9100, protocol: 'TCP' },
        ],
      },
    ],
    initContainers: [{ name: 'setup' }],
  },
  status: {
    phase: 'Running',
    podIP: '10.1.0.1',
    hostIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'web', containerID: 'containerd://abc' }],
    ...changes,
  },
});
const POD_LABELS = {
  pod_name: 'web-1',
  pod_uid: 'uid-web-1',
  pod_ip: '10.1.0.1',
  pod_host_ip: '10.0.0.1',
  pod_node_name: 'node-1',
  pod_phase: 'Running',
  pod_ready: 'true',
  pod_controller_kind: 'ReplicaSet',
  pod_controller_name: 'web',
  pod_label_app_kubernetes_io_name: 'web',
  pod_labelpresent_app_kubernetes_io_name: 'true',
  pod_annotation_prometheus_io_scrape: 'true',
  pod_annotationpresent_prometheus_io_scrape: 'true',
};
const BEHIND = { pod_container_name: 'web', pod_container_image: 'web:1', pod_container_init: 'false' };
const WEB = { ...BEHIND, pod_container_id: 'containerd://abc' };
const HTTP = { pod_container_port_name: 'http', pod_container_port_number: '8080', pod_container_port_protocol: 'TCP' };
const NINE = { pod_container_port_number: '9100', pod_container_port_protocol: 'TCP' };
const node: Node = {
  metadata: { name: 'node-1', labels: { zone: 'a' } },
  spec: { providerID: 'cloud://1' },
  status: {
    addresses: [
      { type: 'Hostname', address: 'one' },
      { type: 'InternalIP', address: '10.0.0.1' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
  },
};
const service: Service = {
  metadata: { name: 'web', namespace: 'shop', labels: { tier: 'front' } },
  spec: { type: 'ClusterIP', clusterIP: '10.9.0.1', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
};
const SERVICE_LABELS = { service_name: 'web', service_label_tier: 'front', service_labelpresent_tier: 'true', namespace: 'shop' };

test('pods: a target for each port of each container, and one for a container without', async () => {
  await using on = await openCluster({ role: 'pod', attach_metadata: { node: true, namespace: true } }, (api) => {
    api.put(PODS, pod('web-1'));
    api.put('/api/v1/nodes', node);
    api.put('/api/v1/namespaces', { metadata: { name: 'shop', labels: { team: 'x' } } });
  });
  const labels = flat(await on.until('the pod', (groups) => groups.length === 1)).map(strip);
  const shared = {
    ...POD_LABELS,
    namespace: 'shop',
    node_name: 'node-1',
    node_label_zone: 'a',
    node_labelpresent_zone: 'true',
    namespace_label_team: 'x',
    namespace_labelpresent_team: 'true',
  };
  assert.deepEqual(labels, [
    { ...shared, ...WEB, ...HTTP, __address__: '10.1.0.1:8080' },
    { ...shared, ...WEB, ...NINE, __address__: '10.1.0.1:9100' },
    { ...shared, pod_container_name: 'setup', pod_container_init: 'true', __address__: '10.1.0.1' },
  ]);
});

test('nodes are reached at their internal address, and are called by their name', async () => {
  await using on = await openCluster({ role: 'node' }, (api) => api.put('/api/v1/nodes', node));
  assert.deepEqual(flat(await on.until('the node', (groups) => groups.length === 1)).map(strip), [
    {
      __address__: '10.0.0.1:10250',
      instance: 'node-1',
      node_name: 'node-1',
      node_provider_id: 'cloud://1',
      node_label_zone: 'a',
      node_labelpresent_zone: 'true',
      node_address_Hostname: 'one',
      node_address_InternalIP: '10.0.0.1',
    },
  ]);
});

test('services: a target for each port, at the name of the service', async () => {
  await using on = await openCluster({ role: 'service' }, (api) => api.put('/api/v1/services', service));
  assert.deepEqual(flat(await on.until('the service', (groups) => groups.length === 1)).map(strip), [
    {
      ...SERVICE_LABELS,
      __address__: 'web.shop.svc:80',
      service_port_name: 'http',
      service_port_number: '80',
      service_port_protocol: 'TCP',
      service_type: 'ClusterIP',
      service_cluster_ip: '10.9.0.1',
    },
  ]);
});

test('endpoints: with the labels of their service and pods, and the ports of those pods that no endpoint names', async () => {
  const endpoints: Endpoints = {
    metadata: { name: 'web', namespace: 'shop' },
    subsets: [
      {
        addresses: [{ ip: '10.1.0.1', nodeName: 'node-1', targetRef: { kind: 'Pod', name: 'web-1', namespace: 'shop' } }],
        notReadyAddresses: [{ ip: 'fd00::2', hostname: 'web-2' }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  };
  await using on = await openCluster({ role: 'endpoints' }, (api) => {
    api.put('/api/v1/endpoints', endpoints);
    api.put('/api/v1/services', service);
    api.put(PODS, pod('web-1'));
  });
  const shared = { ...SERVICE_LABELS, endpoints_name: 'web' };
  const port = { endpoint_port_name: 'http', endpoint_port_protocol: 'TCP' };
  const target = { endpoint_address_target_kind: 'Pod', endpoint_address_target_name: 'web-1', endpoint_node_name: 'node-1' };
  assert.deepEqual(flat(await on.until('the endpoints', (groups) => groups.length === 1)).map(strip), [
    { ...shared, ...port, ...target, ...POD_LABELS, ...BEHIND, ...HTTP, endpoint_ready: 'true', __address__: '10.1.0.1:8080' },
    { ...shared, ...port, endpoint_ready: 'false', endpoint_hostname: 'web-2', __address__: '[fd00::2]:8080' },
    { ...shared, ...POD_LABELS, ...BEHIND, ...NINE, __address__: '10.1.0.1:9100' },
  ]);
});

test('endpoint slices and ingresses', async () => {
  const slice: EndpointSlice = {
    metadata: { name: 'web-abc', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.0.7'], conditions: { ready: true, serving: true, terminating: false }, nodeName: 'node-1', zone: 'a' }],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: 'http' }],
  };
  await using on = await openCluster({ role: 'endpointslice' }, (api) => {
    api.put('/apis/discovery.k8s.io/v1/endpointslices', slice);
    api.put('/api/v1/services', service);
  });
  const prefixed = (labels: Readonly<Record<string, string>>, prefix: string): Record<string, string> =>
    Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${prefix}${name}`, value]));
  const labels = { name: 'web-abc', label_kubernetes_io_service_name: 'web', labelpresent_kubernetes_io_service_name: 'true' };
  const port = { port: '8080', port_name: 'http', port_protocol: 'TCP', port_app_protocol: 'http', address_type: 'IPv4' };
  const endpoint = {
    conditions_ready: 'true',
    conditions_serving: 'true',
    conditions_terminating: 'false',
    node_name: 'node-1',
    zone: 'a',
  };
  assert.deepEqual(flat(await on.until('the slice', (groups) => groups.length === 1)).map(strip), [
    {
      ...SERVICE_LABELS,
      ...prefixed({ ...labels, ...port, ...prefixed(endpoint, 'endpoint_') }, 'endpointslice_'),
      __address__: '10.1.0.7:8080',
    },
  ]);
  const ingress: Ingress = {
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['*.shop.test'] }],
      rules: [{ host: 'www.shop.test', http: { paths: [{ path: '/a' }, {}] } }, { host: 'a.b.shop.test' }],
    },
  };
  await using other = await openCluster({ role: 'ingress' }, (api) => api.put('/apis/networking.k8s.io/v1/ingresses', ingress));
  const found = flat(await other.until('the ingress', (groups) => groups.length === 1)).map(strip);
  assert.deepEqual(
    found.map((one) => `${one['ingress_scheme']} ${one['__address__']} ${one['ingress_path']} ${one['ingress_class_name']}`),
    ['https www.shop.test /a nginx', 'https www.shop.test / nginx', 'http a.b.shop.test / nginx'],
  );
});

test('changes are followed; a watch that breaks off goes on where it was, and begins again when that is too old', async () => {
  await using on = await openCluster({ role: 'pod', authorization: { credentials: 'token' } }, (api) => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(PODS, pod(name));
  });
  await on.until('all pages', (groups) => sources(groups) === 'pod/shop/a,pod/shop/b,pod/shop/c,pod/shop/d,pod/shop/e');
  for (const name of ['b', 'c', 'd', 'e']) on.api.remove(PODS, pod(name));
  on.api.put(PODS, pod('a', { podIP: '10.1.0.9' }));
  const changed = await on.until(
    'the changes',
    (groups) => groups.length === 1 && groups[0]?.labels['__meta_kubernetes_pod_ip'] === '10.1.0.9',
  );
  assert.equal(changed[0]?.targets[0]?.['__address__'], '10.1.0.9:8080');
  on.api.put('/api/v1/nodes', node);
  on.api.bookmark();
  on.api.endWatches();
  const watches = (): readonly number[] => on.api.asked.filter((one) => one.startsWith('WATCH')).map((one) => Number(one.split(' ')[2]));
  await poll('a watch from the bookmark', () => (watches().length > 1 ? true : undefined));
  assert.equal(watches()[1], 1 + 5 + 5 + 1 + 1, 'one for each change and the bookmark');
  on.api.breakWatches();
  on.api.put(PODS, pod('f'));
  await on.until('what happened meanwhile', (groups) => sources(groups) === 'pod/shop/a,pod/shop/f');
  const lists = (): number => on.api.asked.filter((one) => one.startsWith('LIST')).length;
  assert.equal(lists(), 3, 'three pages, and no second list');
  on.api.compact(true);
  await poll('a new list', () => (lists() > 3 ? true : undefined));
  on.api.put(PODS, pod('g'));
  await on.until('a watch after the error', (groups) => groups.length === 3);
  const before = lists();
  on.api.compact(false);
  on.api.breakWatches();
  await poll('a new list after 410', () => (lists() > before ? true : undefined));
  on.api.remove(PODS, pod('g'));
  await on.until('a watch after 410', (groups) => groups.length === 2);
  assert.deepEqual([...on.api.authorizations], ['Bearer token']);
});

test('an API server that refuses takes no targets away, and its words are shown', async () => {
  await using on = await openCluster(
    { role: 'pod', namespaces: { names: ['shop'] }, selectors: [{ role: 'pod', label: 'app=web' }] },
    (api) => api.put('/api/v1/namespaces/shop/pods', pod('a')),
  );
  await on.until('the pod', (groups) => groups.length === 1);
  assert.equal(on.api.asked[0], 'LIST /api/v1/namespaces/shop/pods app=web');
  on.api.refuse(403);
  on.api.breakWatches();
  await poll('the fault', () => (on.fault() === '' ? undefined : true));
  await poll('the words', () => (/HTTP status 403: pods is forbidden/.test(on.fault()) ? true : undefined));
  assert.equal(on.groups().length, 1);
  on.api.refuse(0);
  on.api.put('/api/v1/namespaces/shop/pods', pod('b'));
  await on.until('the watch goes on', (groups) => groups.length === 2);
  assert.equal(on.fault(), '');
});

test('inside of a cluster the service account tells where and who; outside the reason is said', async () => {
  const account = mkdtempSync(join(tmpdir(), 'nines-account-'));
  writeFileSync(join(account, 'token'), 'own-token');
  writeFileSync(join(account, 'namespace'), 'shop\n');
  const outbound = createOutbound({ clock: realClock });
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => logger,
  };
  const [config] = discoveriesOf(schema.parse({ kubernetes_sd_configs: [{ role: 'pod', namespaces: { own_namespace: true } }] }), '/');
  assert.ok(config !== undefined);
  const faultOf = async (environment: Record<string, string>): Promise<string> => {
    await using discover = createDiscover({ clock: realClock, logger, outbound, environment, serviceAccount: account });
    using _watch = discover.watch(config, () => undefined);
    return await poll('a fault', () => discover.status()[0]?.lastError || undefined);
  };
  assert.equal(await faultOf({}), 'not inside of a Kubernetes cluster: write api_server');
  assert.match(await faultOf({ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' }), /ENOENT.*ca\.crt/);
  await outbound[Symbol.asyncDispose]();
  rmSync(account, { recursive: true });
});
