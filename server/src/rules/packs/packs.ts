import { DATABASES_PACK } from './databases.ts';
import { DEFAULT_PACK } from './default.ts';
import { EDGE_PACK } from './edge.ts';
import { KUBERNETES_PACK } from './kubernetes.ts';
import { ML_PACK } from './ml.ts';
import type { PackName } from './names.ts';
import { BACKUPS_PACK, CERTIFICATES_PACK, SELF_PACK } from './others.ts';
import { PLATFORM_PACK } from './platform.ts';
import type { ShippedRule } from './shipped.ts';

const RULES: Readonly<Record<PackName, readonly ShippedRule[]>> = {
  default: DEFAULT_PACK,
  platform: PLATFORM_PACK,
  edge: EDGE_PACK,
  ml: ML_PACK,
  kubernetes: KUBERNETES_PACK,
  databases: DATABASES_PACK,
  certificates: CERTIFICATES_PACK,
  backups: BACKUPS_PACK,
  self: SELF_PACK,
};

/** The rules of packs with the pack that brings each; one that several bring comes once. */
export function rulesOfPacks(packs: readonly PackName[]): readonly (ShippedRule & { readonly pack: PackName })[] {
  const found = new Map<string, ShippedRule & { readonly pack: PackName }>();
  for (const pack of packs) {
    for (const rule of RULES[pack]) if (!found.has(rule.written.rule.id)) found.set(rule.written.rule.id, { ...rule, pack });
  }
  return [...found.values()];
}
