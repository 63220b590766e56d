import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { stringify } from 'yaml';
import { readConfig } from '../../config.ts';
import { formatProblem } from '../../platform/config/load.ts';
import { fingerprint } from '../../platform/config/fingerprint.ts';
import { createRoutes } from '../route.ts';
import { loadAlertmanagerFile } from './load.ts';

const FILE = `
global:
  smtp_smarthost: 'smtp.example.org:587'
  smtp_from: 'alerts@example.org'
  smtp_auth_username: nines
  smtp_auth_password_file: smtp-password
  slack_api_url: https://hooks.slack.example/services/T/B/x
  resolve_timeout: 10m
  http_config: { follow_redirects: true }
templates: ['*.tmpl', 'nowhere/*.tmpl']
route:
  receiver: default
  group_by: [alertname, cluster]
  routes:
    - { receiver: 'team DB pager', matchers: [service="database"], continue: true, mute_time_intervals: [nights] }
    - { match_re: { service: web|api }, receiver: web }
    - { receiver: legacy, matchers: [service="old"] }
    - { receiver: blackhole, matchers: [severity="none"], routes: }
inhibit_rules:
  - { source_match: { severity: critical }, target_match: { severity: warning }, equal: [alertname] }
mute_time_intervals:
  - { name: nights, time_intervals: [{ times: [{ start_time: 22:00, end_time: 24:00 }], location: Europe/Berlin }] }
receivers:
  - name: default
    email_configs:
      - { to: 'ops@example.org, more@example.org', headers: { Subject: '{{ template "subject" . }}' }, html: '<b>hi</b>' }
  - name: team DB pager
    pagerduty_configs:
      - { routing_key: 0123456789abcdef0123456789abcdef, severity: critical, description: '{{ .CommonAnnotations.summary }}' }
    slack_configs:
      - { channel: '#db', title: '{{ template "slack.default.title" . }}', text: '{{ template "other" . }}', send_resolved: true }
      - api_url: https://slack.com/api/chat.postMessage
        channel: '#db-bot'
        http_config: { authorization: { credentials: xoxb-1 } }
  - name: web
    webhook_configs:
      - { url: http://127.0.0.1:9/hook, max_alerts: 5, http_config: { basic_auth: { username: u, password: p }, tls_config: { insecure_skip_verify: true } } }
    opsgenie_configs: [{ api_key: k, responders: [{ name: Web, type: team }, { username: anne, type: user }] }]
    telegram_configs: [{ bot_token: t, chat_id: -100, parse_mode: '' }]
    discord_configs: [{ webhook_url: https://discord.example/x }]
    msteamsv2_configs: [{ webhook_url: https://teams.example/x, title: 'plain' }]
  - name: legacy
    victorops_configs: [{ api_key: k, routing_key: r }]
  - name: blackhole
`;

function read(t: TestContext, text: string, files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'nines-alertmanager-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const all = { 'nines.yml': 'routing: { alertmanager_file: alertmanager.yml }\n', 'alertmanager.yml': text, ...files };
  for (const [name, content] of Object.entries(all)) writeFileSync(join(folder, name), content);
  const said = (problems: readonly Parameters<typeof formatProblem>[0][]): readonly string[] =>
    problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''));
  return { loaded: readConfig({ file: join(folder, 'nines.yml') }), said };
}

const FILES = {
  'smtp-password': 's3cret\n',
  'words.tmpl': '{{ define "subject" }}[{{ .Status }}] {{ template "n" . }}{{ end }}\n{{ define "n" }}{{ len .Alerts }}{{ end }}\n',
};

it('becomes channels, receivers, routes, inhibition and intervals', (t) => {
  const { loaded, said } = read(t, FILE, FILES);
  assert.ok(loaded.ok, loaded.ok ? '' : said(loaded.problems).join('\n'));
  const { channels, routing } = loaded.config;
  assert.deepEqual(
    channels.map(({ id, send_resolved: resolves }) => `${id}${resolves ? '' : ' (firing only)'}`),
    [
      'default-email (firing only)',
      'team-DB-pager-slack',
      'team-DB-pager-slack-2 (firing only)',
      'team-DB-pager-pagerduty',
      'web-webhook',
      'web-opsgenie',
      'web-telegram',
      'web-discord',
      'web-teams',
    ],
  );
  const [mail, hooked, bot, pager, hook, genie, chat] = channels;
  assert.ok(mail?.kind === 'email' && hooked?.kind === 'slack' && bot?.kind === 'slack' && pager?.kind === 'pagerduty');
  assert.deepEqual(
    [mail.host, mail.port, mail.tls, mail.user, mail.password?.reveal()],
    ['smtp.example.org', 587, 'starttls', 'nines', 's3cret'],
  );
  assert.deepEqual(mail.to, ['ops@example.org', 'more@example.org']);
  assert.match(mail.templates?.title ?? '', /^\{\{ template "subject" \. \}\}\{\{ define "subject" \}\}/);
  assert.deepEqual([hooked.webhook_url?.reveal(), hooked.templates], ['https://hooks.slack.example/services/T/B/x', undefined]);
  assert.deepEqual([bot.token?.reveal(), bot.channel, bot.api_url], ['xoxb-1', '#db-bot', 'https://slack.com/api']);
  assert.equal(pager.templates?.title, '{{ .CommonAnnotations.summary }}');
  assert.ok(hook?.kind === 'webhook' && genie?.kind === 'opsgenie' && chat?.kind === 'telegram');
  assert.deepEqual([hook.max_alerts, hook.headers['authorization']?.reveal()], [5, 'Basic dTpw']);
  assert.deepEqual([genie.teams, chat.chat_id], [['Web'], '-100']);
  assert.equal(routing.resolve_timeout, 600_000);
  assert.equal(routing.inhibit_rules.length, 1);
  const taken = (labels: Record<string, string>) =>
    createRoutes(routing)
      .matching(labels)
      .map(({ receiver, channels: of, intervals }) => [receiver, of.length, intervals.mute.join()]);
  assert.deepEqual(taken({ service: 'database' }), [['team DB pager', 3, 'nights']]);
  assert.deepEqual(taken({ service: 'api' }), [['web', 5, '']]);
  assert.deepEqual(taken({ severity: 'none' }), [['blackhole', 0, '']]);
});

it('says of everything that is not as it was there, where it stands', (t) => {
  const { loaded, said } = read(t, FILE, FILES);
  assert.ok(loaded.ok);
  assert.deepEqual(said(loaded.warnings), [
    'alertmanager.yml:10:23: no such template file: nowhere/*.tmpl',
    "alertmanager.yml:26:110: html is not taken over: mails have the product's own form",
    `alertmanager.yml:31:82: text is said in the product's words: there is no template "other"`,
    'alertmanager.yml:31:20: channel "#db" is not taken over: an incoming webhook posts where it was made for',
    'alertmanager.yml:29:68: severity is not taken over: there is nothing like it here',
    'alertmanager.yml:37:125: tls_config is not taken over: there is nothing like it here',
    'alertmanager.yml:38:50: a responder is not taken over: only teams with a name are',
    'alertmanager.yml:43:25: victorops_configs is not taken over: there is no such channel here, and nobody hears of these alerts by it',
    'alertmanager.yml:42:5: the receiver "legacy" tells nobody: none of what it has is taken over',
  ]);
});

it('is written as sections of our own that say the same', (t) => {
  const { loaded } = read(t, FILE, FILES);
  assert.ok(loaded.ok);
  const folder = mkdtempSync(join(tmpdir(), 'nines-alertmanager-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ ...FILES, 'alertmanager.yml': FILE })) writeFileSync(join(folder, name), text);
  const brought = loadAlertmanagerFile(join(folder, 'alertmanager.yml'), new Set());
  assert.ok('written' in brought);
  writeFileSync(join(folder, 'nines.yml'), stringify(brought.written));
  const again = readConfig({ file: join(folder, 'nines.yml') });
  assert.ok(again.ok, again.ok ? '' : again.problems.map(formatProblem).join('\n'));
  assert.deepEqual(fingerprint(again.config.channels), fingerprint(loaded.config.channels));
  const { alertmanager_file: _file, ...routing } = loaded.config.routing;
  assert.deepEqual(JSON.parse(fingerprint(again.config.routing)), JSON.parse(fingerprint(routing)));
});

it('is refused at the place of what Alertmanager would refuse, and of what no channel can be made from', (t) => {
  const faults = (text: string, files = {}): readonly string[] => {
    const { loaded, said } = read(t, text, files);
    return loaded.ok ? [] : said(loaded.problems);
  };
  const minimal = (rest: string): string => `route: { receiver: a }\nreceivers:\n  - name: a\n${rest}`;
  assert.deepEqual(faults(minimal('')), []);
  assert.deepEqual(faults('route: { receiver: b }\nreceivers: [{ name: a }]\n'), ['alertmanager.yml:1:20: there is no receiver "b"']);
  assert.deepEqual(faults(minimal('    slack_configs: [{ channel: x }]\n')), ['alertmanager.yml:4:21: api_url is missing']);
  assert.deepEqual(
    faults(minimal('    webhook_configs: [{ url_file: nowhere }]\n')).map((line) => line.replace(/ENOENT.*/, '')),
    ['alertmanager.yml:4:35: cannot read nowhere: '],
  );
  assert.match(faults(minimal('    pagerduty_configs: [{ service_key: x }]\n')).join(), /Events API v1/);
  assert.match(faults(minimal('    webhook_configs: [{ url: ftp://x }]\n')).join(), /alertmanager.yml:4:23: url: /);
  assert.match(faults(minimal('  - name: a\n')).join(), /the name "a" is used twice/);
  assert.match(
    faults(minimal('time_intervals: [{ name: x, time_intervals: [{ weekdays: [fr] }] }]\n')).join(),
    /:4:59: .*"fr" is no weekday/,
  );
  assert.match(faults(minimal('surprise: 1\n')).join(), /:4:1: .*unknown key "surprise"/);
  assert.match(faults('receivers: [{ name: a }]\n').join(), /route/);
  assert.match(
    faults(minimal(''), { 'nines.yml': 'routing: { alertmanager_file: alertmanager.yml, tree: { receiver: a } }\n' }).join(),
    /write one of the two/,
  );
  assert.match(
    faults(minimal(''), { 'nines.yml': 'routing: { alertmanager_file: nowhere.yml }\n' }).join(),
    /cannot read the configuration/,
  );
});
