/** What each kind of receiver becomes: the fields of a channel as the configuration file would write them. */
import type { Entry } from './entry.ts';
import type { TakenKind, WrittenEntry } from './schema.ts';
import { templatesOf } from './words.ts';

/** Fields of a channel but its id; undefined when it cannot be made, which the entry says. */
type Made = WrittenEntry | undefined;
type Make = (entry: Entry, definitions: string) => Made;

/** What is true of http_config anyway. */
const HARMLESS = ['follow_redirects', 'enable_http2'];

export const MAKERS: Readonly<Record<TakenKind, Make>> = {
  webhook_configs: (entry) => {
    const url = required(entry, 'url', entry.secret('url'));
    const timeout = entry.text('timeout');
    const max = entry.value('max_alerts');
    return url === undefined
      ? undefined
      : {
          kind: 'webhook',
          url,
          headers: headersOf(entry),
          ...(typeof max === 'number' ? { max_alerts: max } : {}),
          ...(timeout === undefined || timeout === '0s' ? {} : { timeout }),
          send_resolved: entry.flag('send_resolved', true),
        };
  },
  email_configs: email,
  slack_configs: slack,
  pagerduty_configs: (entry, definitions) => {
    if (entry.text('service_key') !== undefined && entry.secret('routing_key') === undefined) {
      entry.fail("a service_key belongs to PagerDuty's Events API v1: make an integration of the Events API v2 and write its routing_key");
      return undefined;
    }
    const key = required(entry, 'routing_key', entry.secret('routing_key'));
    const url = entry.text('url', 'pagerduty_url');
    noHttp(entry);
    const words = templatesOf(entry, { title: 'description' }, definitions);
    const send_resolved = entry.flag('send_resolved', true);
    return key === undefined ? undefined : { kind: 'pagerduty', routing_key: key, ...optional({ url }), ...words, send_resolved };
  },
  opsgenie_configs: opsgenie,
  telegram_configs: telegram,
  discord_configs: (entry, definitions) => byWebhook(entry, { kind: 'discord', words: { title: 'title', text: 'message' }, definitions }),
  msteams_configs: (entry, definitions) => byWebhook(entry, { kind: 'teams', words: { title: 'title', text: 'text' }, definitions }),
  msteamsv2_configs: (entry, definitions) => byWebhook(entry, { kind: 'teams', words: { title: 'title', text: 'text' }, definitions }),
};

const optional = (fields: WrittenEntry): WrittenEntry =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function required(entry: Entry, key: string, value: string | undefined): string | undefined {
  if (value === undefined && entry.faults.length === 0) entry.fail(`${key} is missing`);
  return value;
}

/** Kinds that ask a provider take nothing of http_config. */
function noHttp(entry: Entry): void {
  const http = entry.below('http_config', 'http_config');
  for (const key of HARMLESS) http.value(key);
}

/** What http_config says of authentication and headers, as headers. */
function headersOf(entry: Entry): Readonly<Record<string, string>> {
  const http = entry.below('http_config', 'http_config');
  for (const key of HARMLESS) http.value(key);
  const headers: Record<string, string> = {};
  const bearer = http.secret('bearer_token');
  const authorization = http.below('authorization');
  const credentials = authorization.secret('credentials') ?? bearer;
  const type = authorization.text('type') ?? 'Bearer';
  if (credentials !== undefined) headers['authorization'] = `${type} ${credentials}`;
  const basic = http.below('basic_auth');
  const [user, password] = [basic.secret('username'), basic.secret('password')];
  if (user !== undefined) headers['authorization'] = `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
  const written = http.below('http_headers');
  for (const name of written.keys) {
    const header = written.below(name);
    const [value] = [header.value('values'), header.value('secrets')].flat();
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

function byWebhook(
  entry: Entry,
  { kind, words, definitions }: { readonly kind: string; readonly words: { title: string; text: string }; readonly definitions: string },
): Made {
  const url = required(entry, 'webhook_url', entry.secret('webhook_url'));
  noHttp(entry);
  const templates = templatesOf(entry, words, definitions);
  const send_resolved = entry.flag('send_resolved', true);
  return url === undefined ? undefined : { kind, webhook_url: url, ...templates, send_resolved };
}

const POST_MESSAGE = /\/chat\.postMessage$/;

/** By a bot's token where there is one (`app_token`, or Slack's own API with an authorization), else by an incoming webhook. */
function slack(entry: Entry, definitions: string): Made {
  const words = templatesOf(entry, { title: 'title', text: 'text' }, definitions);
  const send_resolved = entry.flag('send_resolved', false);
  const channel = entry.text('channel');
  const app = entry.secret('app_token', 'slack_app_token');
  const appUrl = entry.text('app_url', 'slack_app_url')?.replace(POST_MESSAGE, '');
  const url = entry.secret('api_url', 'slack_api_url');
  const isApi = url !== undefined && POST_MESSAGE.test(url);
  const token = app ?? (isApi ? headersOf(entry)['authorization']?.replace(/^Bearer /, '') : undefined);
  if (!isApi) noHttp(entry);
  if (token !== undefined) {
    const api_url = app === undefined ? url?.replace(POST_MESSAGE, '') : appUrl;
    if (channel === undefined) entry.fail('channel is missing');
    return channel === undefined ? undefined : { kind: 'slack', token, channel, ...optional({ api_url }), ...words, send_resolved };
  }
  if (required(entry, 'api_url', url) === undefined) return undefined;
  if (channel !== undefined)
    entry.lose('channel', `channel "${channel}" is not taken over: an incoming webhook posts where it was made for`);
  return { kind: 'slack', webhook_url: url, ...words, send_resolved };
}

function email(entry: Entry, definitions: string): Made {
  const to = required(entry, 'to', entry.text('to'));
  const from = required(entry, 'from', entry.text('from', 'smtp_from'));
  const smarthost = required(entry, 'smarthost', entry.text('smarthost', 'smtp_smarthost'));
  const at = /^\[?(.+?)\]?:(\d+)$/.exec(smarthost ?? '');
  if (smarthost !== undefined && at === null) entry.fail(`smarthost "${smarthost}" is no host and port, as smtp.example.org:587`);
  const user = entry.text('auth_username', 'smtp_auth_username');
  const password = entry.secret('auth_password', 'smtp_auth_password');
  const isEncrypted = entry.flag('require_tls', true, 'smtp_require_tls');
  entry.text('hello');
  entry.below('tls_config', 'smtp_tls_config');
  const headers = entry.below('headers');
  const subject = headers.keys.find((name) => name.toLowerCase() === 'subject');
  const title = subject === undefined ? {} : templatesOf(headers, { title: subject }, definitions).templates;
  if (entry.text('html') !== undefined && !/^\{\{\s*template "email\.default\.html" \. \}\}$/.test(entry.text('html') ?? ''))
    entry.lose('html', "html is not taken over: mails have the product's own form");
  const templates = { ...title, ...templatesOf(entry, { text: 'text' }, definitions).templates };
  const send_resolved = entry.flag('send_resolved', false);
  if (to === undefined || from === undefined || at === null) return undefined;
  const port = Number(at[2]);
  return {
    kind: 'email',
    host: at[1],
    port,
    tls: port === 465 ? 'implicit' : isEncrypted ? 'starttls' : 'none',
    ...optional({ user, password }),
    from,
    to: to.split(',').map((address) => address.trim()),
    ...(Object.keys(templates).length === 0 ? {} : { templates }),
    send_resolved,
  };
}

function opsgenie(entry: Entry, definitions: string): Made {
  const key = required(entry, 'api_key', entry.secret('api_key', 'opsgenie_api_key'));
  const api_url = entry.text('api_url', 'opsgenie_api_url');
  noHttp(entry);
  const words = templatesOf(entry, { title: 'message', text: 'description' }, definitions);
  const send_resolved = entry.flag('send_resolved', true);
  const teams: string[] = [];
  for (const responder of [entry.value('responders')].flat()) {
    if (responder === undefined) continue;
    const { type, name } = responder as { readonly type?: unknown; readonly name?: unknown };
    if (type === 'team' && typeof name === 'string' && !name.includes('{{')) teams.push(name);
    else entry.lose('responders', 'a responder is not taken over: only teams with a name are');
  }
  return key === undefined ? undefined : { kind: 'opsgenie', api_key: key, ...optional({ api_url }), teams, ...words, send_resolved };
}

function telegram(entry: Entry, definitions: string): Made {
  const token = required(entry, 'bot_token', entry.secret('bot_token', 'telegram_bot_token'));
  const chat = required(entry, 'chat_id', entry.secret('chat_id'));
  const api_url = entry.text('api_url', 'telegram_api_url');
  noHttp(entry);
  // Messages are sent without markup, so words that hold some are not taken.
  const mode = entry.value('parse_mode') ?? 'HTML';
  const isMarkup =
    mode !== '' && /<[a-z/]|[*_`]/i.test(entry.text('message') ?? '') && !/template "telegram\.default/.test(entry.text('message') ?? '');
  if (isMarkup) entry.lose('message', "message is said in the product's words: markup is not sent");
  const words = isMarkup ? {} : templatesOf(entry, { text: 'message' }, definitions);
  const send_resolved = entry.flag('send_resolved', true);
  if (token === undefined || chat === undefined) return undefined;
  return { kind: 'telegram', bot_token: token, chat_id: chat, ...optional({ api_url }), ...words, send_resolved };
}
