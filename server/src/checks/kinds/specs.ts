import { z } from 'zod';
import type { KindSpec } from '../written.ts';
import { browser } from './browser/spec.ts';
import { dns } from './dns/spec.ts';
import { docker } from './docker/spec.ts';
import { domain } from './domain/spec.ts';
import { filesystem } from './filesystem/spec.ts';
import { grpc } from './grpc/spec.ts';
import { heartbeat } from './heartbeat/spec.ts';
import { http } from './http/spec.ts';
import { icmp } from './icmp/spec.ts';
import { mongodb } from './mongodb/spec.ts';
import { mysql } from './mysql/spec.ts';
import { postgresql } from './postgresql/spec.ts';
import { process } from './process/spec.ts';
import { promql } from './promql/spec.ts';
import { redis } from './redis/spec.ts';
import { script } from './script/spec.ts';
import { smtp } from './smtp/spec.ts';
import { snmp } from './snmp/spec.ts';
import { tcp } from './tcp/spec.ts';
import { tls } from './tls/spec.ts';
import { websocket } from './websocket/spec.ts';

/** Every kind of check that there is. A new kind is a folder, a line here and a line in asks.ts. */
export const SPECS = {
  browser,
  dns,
  docker,
  domain,
  filesystem,
  grpc,
  heartbeat,
  http,
  icmp,
  mongodb,
  mysql,
  postgresql,
  process,
  promql,
  redis,
  script,
  smtp,
  snmp,
  tcp,
  tls,
  websocket,
} as const;

export type CheckKind = keyof typeof SPECS;

export const written = z.discriminatedUnion('kind', [
  browser.schema,
  dns.schema,
  docker.schema,
  domain.schema,
  filesystem.schema,
  grpc.schema,
  heartbeat.schema,
  http.schema,
  icmp.schema,
  mongodb.schema,
  mysql.schema,
  postgresql.schema,
  process.schema,
  promql.schema,
  redis.schema,
  script.schema,
  smtp.schema,
  snmp.schema,
  tcp.schema,
  tls.schema,
  websocket.schema,
]);
export type Written = z.output<typeof written>;
export type WrittenOf<K extends CheckKind> = Extract<Written, { readonly kind: K }>;

/** Whether the kind looks into this machine. */
export const isLocal = (kind: CheckKind): boolean => (SPECS[kind] as { readonly local?: true }).local === true;

/** The kind of `check`, which takes that check and no other. */
export const kindOf = (check: Written): KindSpec<z.ZodType<Written>> => SPECS[check.kind] as unknown as KindSpec<z.ZodType<Written>>;
