import { commandKind } from './command/command.ts';
import { consoleKind } from './console/console.ts';
import { dashboardKind } from './dashboard/dashboard.ts';
import { discordKind } from './discord/discord.ts';
import { emailKind } from './email/email.ts';
import { logKind } from './log/log.ts';
import { opsgenieKind } from './opsgenie/opsgenie.ts';
import { pagerdutyKind } from './pagerduty/pagerduty.ts';
import { slackKind } from './slack/slack.ts';
import { smsKind } from './sms/sms.ts';
import { teamsKind } from './teams/teams.ts';
import { telegramKind } from './telegram/telegram.ts';
import { webpushKind } from './webpush/webpush.ts';
import { webhookKind } from './webhook/webhook.ts';

/** Every way to reach people. A new one is a folder, and a line here. */
export const KINDS = {
  webhook: webhookKind,
  email: emailKind,
  slack: slackKind,
  pagerduty: pagerdutyKind,
  opsgenie: opsgenieKind,
  sms: smsKind,
  teams: teamsKind,
  discord: discordKind,
  telegram: telegramKind,
  webpush: webpushKind,
  dashboard: dashboardKind,
  command: commandKind,
  log: logKind,
  console: consoleKind,
} as const;
