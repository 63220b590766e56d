/** How the kinds of channels and their fields are called. Which fields there are the server says. */
import { t } from '../language/t.ts';

type KindWords = { readonly name: string; readonly about: string };
/** `example` stands in the empty input. */
export type FieldWords = { readonly label: string; readonly help?: string; readonly example?: string };

export const KIND_WORDS: Readonly<Record<string, KindWords>> = {
  email: { name: t('Email'), about: t('A mail for each group of alerts; later ones answer the first.') },
  slack: { name: 'Slack', about: t('A message in a channel, updated when something changes.') },
  teams: { name: 'Microsoft Teams', about: t('A card in a channel, through its workflow.') },
  discord: { name: 'Discord', about: t('A message in a channel of a server.') },
  telegram: { name: 'Telegram', about: t('A message of a bot in a chat or a group.') },
  webhook: { name: 'Webhook', about: t('The alerts as JSON to an address, as Alertmanager sends them.') },
  pagerduty: { name: 'PagerDuty', about: t('An incident that opens, is acknowledged and ends with the alerts.') },
  opsgenie: { name: 'Opsgenie', about: t('An alert there that opens, is acknowledged and ends with the alerts here.') },
  sms: { name: t('Text message'), about: t('A short text to telephones, by Twilio or a gateway of your own.') },
  webpush: { name: t('Push to browsers'), about: t('A notice on the screens that ask for it, also when no page is open.') },
  dashboard: { name: t('Pages that are open'), about: t('A notice at once on every page of Nines that is open.') },
  log: { name: t('Log'), about: t('A line in the log of the server: for trying things out.') },
};

const TIMEOUT: FieldWords = { label: t('An attempt ends after'), example: '10s' };
const API_URL: FieldWords = { label: t('Address of its API'), help: t('Only for a server of your own, or another region.') };

const COMMON: Readonly<Record<string, FieldWords>> = {
  timeout: TIMEOUT,
  send_resolved: { label: t('Also say when alerts have ended') },
  failover: { label: t('Tell another channel when this one fails'), help: t('At once when it refuses, otherwise after some attempts.') },
  failover_after: { label: t('Attempts before the other channel is told'), example: '3' },
  'rate_limit.messages': { label: t('At most so many messages'), help: t('What is more goes out in one.'), example: '20' },
  'rate_limit.per': { label: t('In so long'), example: '1m' },
  'templates.title': { label: t('Title in your own words'), example: '{{ .CommonLabels.alertname }}' },
  'templates.text': { label: t('Text in your own words'), help: t('A Go template over Alertmanager’s data.') },
};

const FIELDS: Readonly<Record<string, Readonly<Record<string, FieldWords>>>> = {
  email: {
    host: { label: t('Mail server'), example: 'smtp.example.org' },
    port: { label: t('Port'), example: '587' },
    tls: { label: t('Encryption') },
    user: { label: t('User name'), help: t('Empty where the server asks for none.') },
    password: { label: t('Password') },
    from: { label: t('Sender'), example: 'Nines <nines@example.org>' },
    to: { label: t('Recipients'), help: t('One a line.'), example: 'ops@example.org' },
  },
  slack: {
    webhook_url: {
      label: t('Address of an incoming webhook'),
      help: t('Either this, or the token of a bot and a channel.'),
      example: 'https://hooks.slack.com/services/…',
    },
    token: { label: t('Token of a bot'), help: t('With one, what changes stands in the thread of the first message.'), example: 'xoxb-…' },
    channel: { label: t('Channel'), example: '#ops' },
    signing_secret: { label: t('Signing secret'), help: t('With one, messages have a button that acknowledges.') },
    api_url: API_URL,
  },
  teams: {
    webhook_url: {
      label: t('Address of the workflow'),
      help: t('In Teams: Workflows, “Post to a channel when a webhook request is received”.'),
      example: 'https://…',
    },
  },
  discord: {
    webhook_url: {
      label: t('Address of the webhook'),
      help: t('In Discord: the channel’s settings, Integrations, Webhooks.'),
      example: 'https://discord.com/api/webhooks/…',
    },
  },
  telegram: {
    bot_token: { label: t('Token of a bot'), help: t('BotFather gives it when the bot is made.'), example: '123456:ABC…' },
    chat_id: { label: t('Chat'), help: t('A number, or @name of a public channel.'), example: '-1001234567890' },
    secret_token: { label: t('Secret of the bot’s webhook'), help: t('With one, messages have a button that acknowledges.') },
    api_url: API_URL,
  },
  webhook: {
    url: { label: t('Address'), example: 'https://chat.example.org/hooks/nines' },
    headers: { label: t('Headers'), help: t('One a line.'), example: 'Authorization: Bearer …' },
    secret: { label: t('Signing secret'), help: t('With one, every request is signed, and the receiver can check that it is from here.') },
    max_alerts: { label: t('At most so many alerts in one message'), help: t('0: all of them.') },
  },
  pagerduty: {
    routing_key: { label: t('Integration key'), help: t('Of an integration of the kind “Events API v2”.') },
    url: API_URL,
  },
  opsgenie: {
    api_key: { label: t('API key'), help: t('Of an integration of the kind “API”.') },
    api_url: { ...API_URL, example: 'https://api.eu.opsgenie.com' },
    teams: { label: t('Teams'), help: t('One a line.') },
  },
  sms: {
    from: { label: t('Sender'), help: t('A number, a name, or a messaging service of Twilio.'), example: '+4930123456' },
    to: { label: t('Recipients'), help: t('One a line.'), example: '+4930123457' },
    'twilio.account_sid': { label: t('Account SID'), example: 'AC…' },
    'twilio.auth_token': { label: t('Auth token') },
    'twilio.api_url': API_URL,
    'http.url': { label: t('Address'), example: 'https://sms.example.org/send' },
    'http.headers': { label: t('Headers'), help: t('One a line.'), example: 'Authorization: Bearer …' },
    'http.fields.to': { label: t('Name of the field for the recipient') },
    'http.fields.from': { label: t('Name of the field for the sender') },
    'http.fields.text': { label: t('Name of the field for the text') },
    'http.reply_token': { label: t('Token of whoever brings replies') },
    max_parts: { label: t('Parts of a message, at most') },
    replies: { label: t('Take replies: who answers with the code acknowledges') },
  },
  webpush: {
    contact: {
      label: t('What push services may write to'),
      help: t('A mail address, or an https:// address.'),
      example: 'ops@example.org',
    },
  },
};

/** Undefined for a field that nobody has named yet. */
export const fieldWords = (kind: string, path: string): FieldWords | undefined => FIELDS[kind]?.[path] ?? COMMON[path];

/** What most people leave as it is. */
const MORE: ReadonlySet<string> = new Set([
  'timeout',
  'api_url',
  'pagerduty url',
  'max_alerts',
  'max_parts',
  'twilio.api_url',
  'http.fields.to',
  'http.fields.from',
  'http.fields.text',
]);
export const isMore = (kind: string, path: string): boolean => MORE.has(path) || MORE.has(`${kind} ${path}`);

/** Fields that stand together, either of which is enough. */
export const GROUP_WORDS: Readonly<Record<string, string>> = { twilio: 'Twilio', http: t('A gateway of your own') };

export const CHOICE_WORDS: Readonly<Record<string, string>> = {
  starttls: t('STARTTLS, as usual on 587'),
  implicit: t('TLS from the first byte, as on 465'),
  none: t('None: within a network of your own'),
};
