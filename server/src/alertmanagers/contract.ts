/**
 * Alertmanagers that a Prometheus configuration names under `alerting`: what fires here is sent there too, by the rules by
 * which Prometheus sends. Alerting says what fires, discover says where the Alertmanagers are; this repeats and delivers.
 * Never changes an alert, and what a person does to one here (a silence, an acknowledgement) stays here: they have their own.
 */
import { SECOND_MS, ms } from '@nines/base/units.ts';
import type { RelabelRule } from '@nines/model/relabel.ts';
import { z } from 'zod';
import { type DiscoveryConfig, type TargetGroup, discoveriesOf, discoveryFields, groupOf } from '../discover/contract.ts';
import { length, list, text } from '../platform/config/prometheus-fields.ts';
import { relabelRule } from '../platform/config/prometheus-relabel.ts';
import { type HttpClientSettings, checkHttpClient, httpClientFields, httpClientOf } from '../platform/fetch/client-config.ts';

/** One entry of `alertmanagers` with every default in place. */
export type ManagerSettings = {
  readonly scheme: string;
  readonly pathPrefix: string;
  /** For one batch. */
  readonly timeoutMs: number;
  readonly http: HttpClientSettings;
  /** Alertmanagers that stand in the entry itself. */
  readonly groups: readonly TargetGroup[];
  readonly discoveries: readonly DiscoveryConfig[];
  /** Which Alertmanagers of those are taken. */
  readonly relabelRules: readonly RelabelRule[];
  /** Which alerts they get, and with what labels. */
  readonly alertRelabelRules: readonly RelabelRule[];
};

/** The `alerting` of one Prometheus configuration. */
export type AlertingSettings = {
  /** Alerts of rules that another Prometheus configuration brought along are not sent here. */
  readonly file: string;
  /** Added to alerts that do not have them. */
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly alertRelabelRules: readonly RelabelRule[];
  readonly managers: readonly ManagerSettings[];
};

/** What has to be known of a rule to send its alerts. */
export type RuleFacts = {
  /** How often the rule is evaluated; undefined when it is woken by samples alone. */
  readonly intervalMs: number | undefined;
  /** The Prometheus configuration that brought it along. */
  readonly broughtBy: string | undefined;
  /** Its alerts are shown and told to nobody. */
  readonly dashboardOnly: boolean;
};

/** Alertmanager's first interface is gone since its version 0.27, and from Prometheus since 3.0. */
const apiVersion = z.literal('v2', { error: 'is not supported: write v2' }).default('v2');

const manager = z
  .strictObject({
    scheme: z.enum(['http', 'https']).default('http'),
    path_prefix: text.default(''),
    timeout: length.refine((written) => written > 0, 'is zero').default(ms(10 * SECOND_MS)),
    api_version: apiVersion,
    relabel_configs: list(relabelRule),
    alert_relabel_configs: list(relabelRule),
    ...discoveryFields,
    ...httpClientFields,
  })
  .superRefine(checkHttpClient);

/** The section `alerting` of a Prometheus configuration. */
export const alertingFields = z.strictObject({ alert_relabel_configs: list(relabelRule), alertmanagers: list(manager) }).nullish();

type Written = z.output<typeof alertingFields>;

/** `dir` is where the file stands, from which its paths start. */
export function alertingSettings(
  written: Written,
  at: { readonly file: string; readonly dir: string; readonly externalLabels: Readonly<Record<string, string>> },
): AlertingSettings {
  return {
    file: at.file,
    externalLabels: at.externalLabels,
    alertRelabelRules: written?.alert_relabel_configs ?? [],
    managers: (written?.alertmanagers ?? []).map((one) => ({
      scheme: one.scheme,
      pathPrefix: one.path_prefix,
      timeoutMs: one.timeout,
      http: httpClientOf(one, at.dir),
      groups: one.static_configs.map((group, index) => groupOf(group, String(index))),
      discoveries: discoveriesOf(one, at.dir),
      relabelRules: one.relabel_configs,
      alertRelabelRules: one.alert_relabel_configs,
    })),
  };
}
