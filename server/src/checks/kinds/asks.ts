import type { AttemptDeps, AttemptRun } from '../attempt.ts';
import type { CheckSpec, Outcome, SpecOf } from '../contract.ts';
import { askDns } from './dns/ask.ts';
import { askHttp } from './http/ask.ts';
import type { CheckKind } from './specs.ts';
import { askSmtp } from './smtp/ask.ts';
import { askTcp } from './tcp/ask.ts';
import { askTls } from './tls/ask.ts';
import { askWebsocket } from './websocket/ask.ts';

/** One attempt of one kind: does the asking, reports what was seen in `run`, and returns the outcome. */
export type Ask<K extends CheckKind = CheckKind> = (spec: SpecOf<K>, run: AttemptRun, deps: AttemptDeps) => Promise<Outcome>;

const ASKS: { readonly [K in CheckKind]: Ask<K> } = {
  dns: askDns,
  http: askHttp,
  smtp: askSmtp,
  tcp: askTcp,
  tls: askTls,
  websocket: askWebsocket,
};

export const askOf = (spec: CheckSpec): Ask => ASKS[spec.kind] as Ask;
