import type { AttemptDeps, AttemptRun } from '../attempt.ts';
import type { CheckSpec, Outcome, SpecOf } from '../contract.ts';
import { askBrowser } from './browser/ask.ts';
import { askDns } from './dns/ask.ts';
import { askDocker } from './docker/ask.ts';
import { askDomain } from './domain/ask.ts';
import { askFilesystem } from './filesystem/ask.ts';
import { askGrpc } from './grpc/ask.ts';
import { askHttp } from './http/ask.ts';
import { askIcmp } from './icmp/ask.ts';
import { askMongodb } from './mongodb/ask.ts';
import { askMysql } from './mysql/ask.ts';
import { askPostgresql } from './postgresql/ask.ts';
import { askProcess } from './process/ask.ts';
import { askPromql } from './promql/ask.ts';
import { askRedis } from './redis/ask.ts';
import { askScript } from './script/ask.ts';
import { askSmtp } from './smtp/ask.ts';
import { askSnmp } from './snmp/ask.ts';
import type { CheckKind } from './specs.ts';
import { askTcp } from './tcp/ask.ts';
import { askTls } from './tls/ask.ts';
import { askWebsocket } from './websocket/ask.ts';

/** The kinds that ask. Heartbeats wait to be told. */
type AskedKind = Exclude<CheckKind, 'heartbeat'>;
export type AskedSpec = Extract<CheckSpec, { readonly kind: AskedKind }>;
export const isAsked = (spec: CheckSpec): spec is AskedSpec => spec.kind !== 'heartbeat';

/** One attempt of one kind: does the asking, reports what was seen in `run`, and returns the outcome. */
export type Ask<K extends AskedKind = AskedKind> = (spec: SpecOf<K>, run: AttemptRun, deps: AttemptDeps) => Promise<Outcome>;

const ASKS: { readonly [K in AskedKind]: Ask<K> } = {
  browser: askBrowser,
  dns: askDns,
  docker: askDocker,
  domain: askDomain,
  filesystem: askFilesystem,
  grpc: askGrpc,
  http: askHttp,
  icmp: askIcmp,
  mongodb: askMongodb,
  mysql: askMysql,
  postgresql: askPostgresql,
  process: askProcess,
  promql: askPromql,
  redis: askRedis,
  script: askScript,
  smtp: askSmtp,
  snmp: askSnmp,
  tcp: askTcp,
  tls: askTls,
  websocket: askWebsocket,
};

export const askOf = (spec: AskedSpec): Ask => ASKS[spec.kind] as Ask;
