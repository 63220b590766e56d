import type { Container, ContainerPort, KubeObject, Node, Pod, Service } from './objects.ts';

/**
 * The `__meta_kubernetes_*` labels that several roles share. Empty values stand for absent labels.
 * Source: prometheus.io/docs/prometheus/latest/configuration/configuration, <kubernetes_sd_config>.
 */
export type MetaLabels = Record<string, string>;
export const META = '__meta_kubernetes_';

export const sanitized = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_');

/** Name, labels and annotations of an object: `<kind>_name`, `<kind>_label_x`, `<kind>_labelpresent_x`, and so on. */
export function objectLabels(kind: string, { metadata }: KubeObject): MetaLabels {
  return {
    [`${META}${kind}_name`]: metadata.name,
    ...each(`${META}${kind}_label`, metadata.labels),
    ...each(`${META}${kind}_annotation`, metadata.annotations),
  };
}

function each(prefix: string, values: Readonly<Record<string, string>> | undefined): MetaLabels {
  const labels: MetaLabels = {};
  for (const [name, value] of Object.entries(values ?? {})) {
    labels[`${prefix}_${sanitized(name)}`] = value;
    labels[`${prefix}present_${sanitized(name)}`] = 'true';
  }
  return labels;
}

/** Values by name below one prefix, with their `present` companions: the topology of an endpoint. */
export const presentLabels = (prefix: string, values: Readonly<Record<string, string>> | undefined): MetaLabels => {
  const labels: MetaLabels = {};
  for (const [name, value] of Object.entries(values ?? {})) {
    labels[`${META}${prefix}_${sanitized(name)}`] = value;
    labels[`${META}${prefix}_present_${sanitized(name)}`] = 'true';
  }
  return labels;
};

export const namespaceLabel = ({ metadata }: KubeObject): MetaLabels => ({ [`${META}namespace`]: metadata.namespace ?? '' });

export function podLabels(pod: Pod): MetaLabels {
  const { metadata, spec, status } = pod;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
  return {
    ...objectLabels('pod', pod),
    [`${META}pod_ip`]: status?.podIP ?? '',
    [`${META}pod_ready`]: ready.toLowerCase(),
    [`${META}pod_phase`]: status?.phase ?? '',
    [`${META}pod_node_name`]: spec?.nodeName ?? '',
    [`${META}pod_host_ip`]: status?.hostIP ?? '',
    [`${META}pod_uid`]: metadata.uid ?? '',
    [`${META}pod_controller_kind`]: owner?.kind ?? '',
    [`${META}pod_controller_name`]: owner?.name ?? '',
  };
}

export type PodContainer = { readonly container: Container; readonly init: boolean };
export const containersOf = ({ spec }: Pod): readonly PodContainer[] => [
  ...(spec?.containers ?? []).map((container) => ({ container, init: false })),
  ...(spec?.initContainers ?? []).map((container) => ({ container, init: true })),
];

/** Of a container, and of one of its ports when it has any. */
export function containerLabels(pod: Pod, { container, init }: PodContainer, port: ContainerPort | undefined): MetaLabels {
  const statuses = (init ? pod.status?.initContainerStatuses : pod.status?.containerStatuses) ?? [];
  const labels: MetaLabels = {
    [`${META}pod_container_name`]: container.name,
    [`${META}pod_container_id`]: statuses.find(({ name }) => name === container.name)?.containerID ?? '',
    [`${META}pod_container_image`]: container.image ?? '',
    [`${META}pod_container_init`]: String(init),
  };
  if (port === undefined) return labels;
  return {
    ...labels,
    [`${META}pod_container_port_number`]: String(port.containerPort),
    [`${META}pod_container_port_name`]: port.name ?? '',
    [`${META}pod_container_port_protocol`]: port.protocol ?? '',
  };
}

export const serviceLabels = (service: Service): MetaLabels => ({ ...objectLabels('service', service), ...namespaceLabel(service) });

/** What `attach_metadata: { node: true }` adds. */
export const attachedNode = (node: Node | undefined): MetaLabels => (node === undefined ? {} : objectLabels('node', node));

/** What `attach_metadata: { namespace: true }` adds. */
export const attachedNamespace = (namespace: KubeObject | undefined): MetaLabels =>
  namespace === undefined
    ? {}
    : {
        ...each(`${META}namespace_label`, namespace.metadata.labels),
        ...each(`${META}namespace_annotation`, namespace.metadata.annotations),
      };

export const joinHostPort = (host: string, port: number | undefined): string => {
  if (port === undefined) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};
