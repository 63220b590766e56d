import type { Override } from './load.ts';

/** The variables that services by custom are told of, for what neither the file nor a `NINES__…` variable says. */

type Env = Readonly<Record<string, string | undefined>>;
export type Conventions = {
  readonly overrides: readonly Override[];
  /** What is set and does nothing, and why. */
  readonly notes: readonly { readonly source: string; readonly message: string }[];
};
type Found =
  | { readonly source: string; readonly channel: Readonly<Record<string, unknown>> }
  | { readonly source: string; readonly note: string };

const SMTP_IMPLICIT_PORT = 465;

/** Pure. `written` is what the file, the `NINES__…` variables and the flags say. */
export function conventional(env: Env, written: unknown): Conventions {
  const config = (typeof written === 'object' && written !== null ? written : {}) as Readonly<Record<string, unknown>>;
  const set = (name: string): string | undefined => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const found = [slack(set), mail(set), pagerDuty(set, env)].filter((one) => one !== undefined);
  const notes = [
    ...found.flatMap((one) => ('note' in one ? [{ source: one.source, message: one.note }] : [])),
    ...(set('REDIS_URL') === undefined
      ? []
      : [{ source: 'REDIS_URL', message: 'is set, and nothing is kept in Redis; a check of kind redis names its own address' }]),
  ];
  return { overrides: [...stateFrom(set, config), ...channelsFrom(found, config), ...projectFrom(set, config)], notes };
}

type Lookup = (name: string) => string | undefined;
type Written = Readonly<Record<string, unknown>>;

function stateFrom(set: Lookup, { state }: Written): readonly Override[] {
  const url = set('POSTGRES_URL');
  return url === undefined || state !== undefined ? [] : [{ path: ['state'], value: { kind: 'postgresql', url }, source: 'POSTGRES_URL' }];
}

function slack(set: Lookup): Found | undefined {
  const url = set('SLACK_WEBHOOK_URL');
  return url === undefined ? undefined : { source: 'SLACK_WEBHOOK_URL', channel: { id: 'slack', kind: 'slack', webhook_url: url } };
}

function mail(set: Lookup): Found | undefined {
  const host = set('SMTP_HOST');
  if (host === undefined) return undefined;
  const missing = ['SMTP_FROM', 'SMTP_TO'].filter((name) => set(name) === undefined);
  if (missing.length > 0) return { source: 'SMTP_HOST', note: `is set, and ${missing.join(' and ')} not, so no mail is sent` };
  const port = Number(set('SMTP_PORT') ?? '587');
  const user = set('SMTP_USER') ?? set('SMTP_USERNAME');
  const password = set('SMTP_PASSWORD') ?? set('SMTP_PASS');
  const tls = set('SMTP_TLS') ?? (port === SMTP_IMPLICIT_PORT ? 'implicit' : 'starttls');
  const to = (set('SMTP_TO') ?? '').split(',').map((address) => address.trim());
  const channel = { id: 'email', kind: 'email', host, port, tls, from: set('SMTP_FROM'), to };
  return { source: 'SMTP_HOST', channel: { ...channel, ...(user !== undefined && { user }), ...(password !== undefined && { password }) } };
}

function pagerDuty(set: Lookup, env: Env): Found | undefined {
  const source = ['PAGERDUTY_ROUTING_KEY', 'PAGERDUTY_INTEGRATION_KEY'].find((name) => set(name) !== undefined);
  const other = Object.keys(env).find((name) => name.startsWith('PAGERDUTY_'));
  if (source === undefined)
    return other === undefined ? undefined : { source: other, note: 'is set, and PAGERDUTY_ROUTING_KEY not, so PagerDuty is told nothing' };
  const url = set('PAGERDUTY_URL');
  return { source, channel: { id: 'pagerduty', kind: 'pagerduty', routing_key: set(source), ...(url !== undefined && { url }) } };
}

/** Channels that the file does not have, and, while it routes nothing, every alert to them. */
function channelsFrom(found: readonly Found[], config: Written): readonly Override[] {
  const own = Array.isArray(config['channels']) ? (config['channels'] as readonly { readonly id?: unknown }[]) : [];
  const brought = found.flatMap((one) => ('channel' in one && !own.some(({ id }) => id === one.channel['id']) ? [one] : []));
  if (brought.length === 0 || (config['channels'] !== undefined && !Array.isArray(config['channels']))) return [];
  const routing = (config['routing'] ?? {}) as Written;
  const isRouted = ['default', 'tree', 'alertmanager_file'].some((key) => routing[key] !== undefined);
  const sources = brought.map(({ source }) => source).join(', ');
  return [
    ...brought.map(({ channel, source }, i) => ({ path: ['channels', String(own.length + i)], value: channel, source })),
    ...(isRouted ? [] : [{ path: ['routing', 'default'], value: brought.map(({ channel }) => channel['id']), source: sources }]),
  ];
}

/** The project tells this installation from others, as an external label. */
function projectFrom(set: Lookup, { rules }: Written): readonly Override[] {
  const project = set('GCP_PROJECT');
  const labels = ((rules ?? {}) as Written)['external_labels'];
  const isSaid = typeof labels === 'object' && labels !== null && Object.hasOwn(labels, 'gcp_project');
  return project === undefined || isSaid
    ? []
    : [{ path: ['rules', 'external_labels', 'gcp_project'], value: project, source: 'GCP_PROJECT' }];
}
