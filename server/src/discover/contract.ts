/**
 * Discover finds out what there is to scrape: lists in files, behind an address, in the DNS, in a Kubernetes cluster. It says
 * what is there and its labels; what of it is scraped, and how, is decided by `collect`.
 * A source that fails keeps what it said last: a broken list must not end the watch over a fleet.
 */
import { MINUTE_MS, SECOND_MS, ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { httpUrl } from '../platform/config/fields.ts';
import { fingerprint } from '../platform/config/fingerprint.ts';
import { labelMap, length, list, text } from '../platform/config/prometheus-fields.ts';
import { type HttpClientSettings, checkHttpClient, httpClientFields, httpClientOf, within } from '../platform/fetch/client-config.ts';

/** Targets that share labels. A target has at least `__address__`; its own labels win over those of the group. */
export type TargetGroup = {
  /** Tells the group from others of its source: `targets.yml:0`, `pod/shop/web-1`. */
  readonly source: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly targets: readonly Readonly<Record<string, string>>[];
};

export type FileDiscovery = { readonly kind: 'file'; readonly patterns: readonly string[]; readonly refreshMs: number };
export type HttpDiscovery = {
  readonly kind: 'http';
  readonly url: string;
  readonly refreshMs: number;
  readonly client: HttpClientSettings;
};
export const DNS_TYPES = ['SRV', 'A', 'AAAA', 'MX', 'NS'] as const;
export type DnsDiscovery = {
  readonly kind: 'dns';
  readonly names: readonly string[];
  readonly type: (typeof DNS_TYPES)[number];
  /** Unused for SRV, whose records have it. */
  readonly port: number;
  readonly refreshMs: number;
};
export type KubernetesRole = 'node' | 'pod' | 'service' | 'endpoints' | 'endpointslice' | 'ingress';
export type KubernetesDiscovery = {
  readonly kind: 'kubernetes';
  readonly role: KubernetesRole;
  /** Undefined inside of a cluster, whose service account is then used. */
  readonly apiServer: string | undefined;
  readonly client: HttpClientSettings;
  /** Empty for all. */
  readonly namespaces: readonly string[];
  /** Only the namespace that we run in, besides `namespaces`. */
  readonly ownNamespace: boolean;
  readonly selectors: readonly { readonly role: KubernetesRole; readonly label: string; readonly field: string }[];
  readonly attachNode: boolean;
  readonly attachNamespace: boolean;
};
export type DiscoveryConfig = (FileDiscovery | HttpDiscovery | DnsDiscovery | KubernetesDiscovery) & {
  /** Equal exactly when the configurations are; who asks for the same shares one source. */
  readonly key: string;
};

export type DiscoveryStatus = {
  readonly config: DiscoveryConfig;
  /** Why the last attempt failed; '' when it did not. */
  readonly lastError: string;
  /** When it last succeeded; undefined before. */
  readonly lastSuccessMs: number | undefined;
};

export type Discover = {
  /**
   * Calls `onGroups` with everything that is there, at once when that is known and then at every change. Disposing ends it; the
   * source ends with its last watcher.
   */
  watch(config: DiscoveryConfig, onGroups: (groups: readonly TargetGroup[]) => void): Disposable;
  status(): readonly DiscoveryStatus[];
};

const refreshInterval = length.refine((written) => written >= SECOND_MS, 'is below 1s');

/** `*` stands in the last part of the path only, as Prometheus has it. */
const filePattern = text.refine(
  (pattern) => /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/.test(pattern),
  'is not a path to .json, .yml or .yaml with * in its last part only',
);
const fileSd = z.strictObject({
  files: z.array(filePattern).nonempty(),
  refresh_interval: refreshInterval.default(ms(5 * MINUTE_MS)),
});

const httpSd = z
  .strictObject({ url: httpUrl, refresh_interval: refreshInterval.default(ms(MINUTE_MS)), ...httpClientFields })
  .superRefine(checkHttpClient);

const dnsSd = z
  .strictObject({
    names: z.array(text).nonempty(),
    type: z
      .string()
      .transform((word) => word.toUpperCase())
      .pipe(z.enum(DNS_TYPES))
      .default('SRV'),
    port: z.int().min(0).max(65_535).default(0),
    refresh_interval: refreshInterval.default(ms(30 * SECOND_MS)),
  })
  .refine(({ type, port }) => type === 'SRV' || port !== 0, { message: 'a port is needed for every type but SRV', path: ['port'] });

const ROLES = ['node', 'pod', 'service', 'endpoints', 'endpointslice', 'ingress'] as const satisfies readonly KubernetesRole[];
const role = z
  .string()
  .transform((word) => word.toLowerCase())
  .pipe(z.enum(ROLES));
/** What a role watches besides itself, and so may select. */
const SELECTABLE: Readonly<Record<KubernetesRole, readonly KubernetesRole[]>> = {
  node: ['node'],
  pod: ['pod', 'node'],
  service: ['service'],
  endpoints: ['endpoints', 'pod', 'service', 'node'],
  endpointslice: ['endpointslice', 'pod', 'service', 'node'],
  ingress: ['ingress'],
};
const kubernetesSd = z
  .strictObject({
    role,
    api_server: httpUrl.nullish(),
    namespaces: z.strictObject({ own_namespace: z.boolean().default(false), names: list(text) }).nullish(),
    selectors: list(z.strictObject({ role, label: text.default(''), field: text.default('') })),
    attach_metadata: z.strictObject({ node: z.boolean().default(false), namespace: z.boolean().default(false) }).nullish(),
    ...httpClientFields,
  })
  .superRefine(checkHttpClient)
  .superRefine((written, context) => {
    written.selectors.forEach((selector, index) => {
      if (!SELECTABLE[written.role].includes(selector.role)) {
        const message = `role ${written.role} selects among ${SELECTABLE[written.role].join(', ')}, not ${selector.role}`;
        context.addIssue({ code: 'custom', message, path: ['selectors', index, 'role'] });
      }
      if (written.selectors.findIndex(({ role: other }) => other === selector.role) < index)
        context.addIssue({ code: 'custom', message: `role ${selector.role} is selected twice`, path: ['selectors', index, 'role'] });
    });
    const own = ['basic_auth', 'authorization', 'oauth2', 'bearer_token', 'bearer_token_file', 'tls_config', 'proxy_url'] as const;
    const written1 = own.find((key) => written[key] !== undefined && written[key] !== null);
    if ((written.api_server ?? undefined) === undefined && written1 !== undefined)
      context.addIssue({
        code: 'custom',
        message: 'needs an api_server; inside of a cluster its service account is used',
        path: [written1],
      });
  });

/** A group as files and answers of HTTP write it, and as `static_configs` has it. */
export const writtenGroup = z.strictObject({ targets: list(text), labels: labelMap });

/** The keys of a scrape configuration that this folder carries out, to be spread into it. */
export const discoveryFields = {
  static_configs: list(writtenGroup),
  file_sd_configs: list(fileSd),
  http_sd_configs: list(httpSd),
  dns_sd_configs: list(dnsSd),
  kubernetes_sd_configs: list(kubernetesSd),
};
const fields = z.object(discoveryFields);

/** Why a written target cannot be scraped as it stands; '' when it can. What is relabelled may be written in any form. */
export function addressFault(written: string): string {
  if (written.includes('/')) return 'is not host:port; the path belongs into metrics_path, the scheme into scheme';
  return URL.canParse(`http://${written}`) ? '' : 'is not host:port';
}

export const groupOf = ({ targets, labels }: z.output<typeof writtenGroup>, source: string): TargetGroup => ({
  source,
  labels,
  targets: targets.map((one) => ({ __address__: one })),
});

/** What has to be watched for a scrape configuration that stands in `dir`. */
export function discoveriesOf(written: z.output<typeof fields>, dir: string): readonly DiscoveryConfig[] {
  const files = written.file_sd_configs.map(
    (one): FileDiscovery => ({
      kind: 'file',
      patterns: one.files.map((pattern) => within(dir, pattern)),
      refreshMs: one.refresh_interval,
    }),
  );
  const https = written.http_sd_configs.map(
    (one): HttpDiscovery => ({ kind: 'http', url: one.url, refreshMs: one.refresh_interval, client: httpClientOf(one, dir) }),
  );
  const names = written.dns_sd_configs.map(
    (one): DnsDiscovery => ({ kind: 'dns', names: one.names, type: one.type, port: one.port, refreshMs: one.refresh_interval }),
  );
  const clusters = written.kubernetes_sd_configs.map(
    (one): KubernetesDiscovery => ({
      kind: 'kubernetes',
      role: one.role,
      apiServer: one.api_server ?? undefined,
      client: httpClientOf(one, dir),
      namespaces: one.namespaces?.names ?? [],
      ownNamespace: one.namespaces?.own_namespace ?? false,
      selectors: one.selectors,
      attachNode: one.attach_metadata?.node ?? false,
      attachNamespace: one.attach_metadata?.namespace ?? false,
    }),
  );
  return [...files, ...https, ...names, ...clusters].map((config) => ({ ...config, key: fingerprint(config) }));
}
