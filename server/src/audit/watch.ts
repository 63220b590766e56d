import { MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type Evaluation, promptRule } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { auditRuleId } from '../rules/contract.ts';
import type { AuditSettings } from './config.ts';
import { AUDIT_ALERTS, type AuditAlert, type AuditEvent, type Finding, decide, eventOf, longestMs } from './findings.ts';
import type { AuditLog } from './service.ts';

/** Counted refusals are written once a minute as well, so nothing is told later than two minutes after it happened. */
export const WATCH_STEP_MS = MINUTE_MS / 2;
/** Entries that are read at a time. */
const PAGE = 500;
/** Events that are kept; more within the hour are a flood that was told of long before. */
const MAX_EVENTS = 50_000;

export type WatchDeps = {
  readonly audit: Pick<AuditLog, 'after' | 'seqBefore' | 'administers'>;
  readonly settings: () => AuditSettings;
  readonly alert: (evaluation: Evaluation) => Promise<void>;
};

/** Reads each entry once, also those that other processes wrote, and tells of what they amount to. */
export class AuditWatch {
  readonly #deps: WatchDeps;
  #seq: number | undefined;
  #events: AuditEvent[] = [];

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  async step(nowMs: number): Promise<readonly Finding[]> {
    const { audit, settings, alert } = this.#deps;
    const fromMs = nowMs - longestMs(settings());
    this.#seq ??= await audit.seqBefore(fromMs);
    for (;;) {
      const entries = await audit.after(this.#seq, PAGE);
      this.#events.push(...entries.flatMap((entry) => eventOf(entry, (role) => audit.administers(role)) ?? []));
      this.#seq = entries.at(-1)?.seq ?? this.#seq;
      if (entries.length < PAGE) break;
    }
    this.#events = this.#events.filter(({ atMs }) => atMs > fromMs).slice(-MAX_EVENTS);
    const findings = decide(this.#events, settings(), nowMs);
    for (const name of Object.keys(AUDIT_ALERTS) as AuditAlert[])
      await alert(
        evaluationOf(
          name,
          findings.filter((found) => found.alert === name),
          nowMs,
        ),
      );
    return findings;
  }
}

function evaluationOf(alertname: AuditAlert, findings: readonly Finding[], nowMs: number): Evaluation {
  const severity = 'warning';
  return {
    rule: promptRule({ id: auditRuleId(alertname), kind: 'rule', alertname, severity, teamId: DEFAULT_TEAM }),
    atMs: epochMs(nowMs),
    found: {
      kind: 'complete',
      active: findings.map(({ labels, summary, value, seq, sinceMs }) => ({
        labels: labelsOf({ alertname, severity, job: 'nines', ...labels }),
        annotations: {
          summary,
          entry: String(seq),
          description: `Entry ${seq} of the audit log has more: /settings/audit?entry=${seq}`,
        },
        value,
        activeSinceMs: epochMs(sinceMs),
      })),
      holding: [],
      because: AUDIT_ALERTS[alertname],
    },
  };
}
