import type { Candidate, Subject } from './candidates.ts';
import type { InsightKind, InsightView } from './contract.ts';

type Next = InsightView['next'];

/** What to do about a full resource, by family. */
const RELIEF: Readonly<Record<string, string>> = {
  disk: 'Remove what is not needed or enlarge the file system; see what grew since this began',
  memory: 'Find which process takes more than it gives back; restart it in a quiet hour, or add memory',
  cpu: 'Move work to quieter hours or to another host, or add cores',
  descriptors: 'Find the process that leaves files or connections open; raise its limit only after that',
};
const ON_TREND: Readonly<Record<string, string>> = {
  response_time: 'Compare with deployments and load since the change began, and tighten an alert before customers notice',
  failures: 'Look at which check fails and with what reason, and at its dependencies',
  load: 'Plan capacity for the new level, and test what happens when it doubles',
};

/** The next step that helps, and where in the product it is taken. */
export function advice(kind: InsightKind, { family, role }: Candidate, { href }: Subject): Next {
  switch (kind) {
    case 'performance_trend':
      return { text: ON_TREND[family] ?? 'Look at what changed when this began; if it is meant, nothing is to be done', href };
    case 'capacity':
      return { text: RELIEF[family] ?? 'Find what grows, and make room before the limit is reached', href };
    case 'prediction':
      return role === 'budget'
        ? { text: 'Postpone risky changes until the budget recovers, and look at what spent it', href }
        : { text: RELIEF[family] ?? 'Make room before then, or move work to quieter hours', href };
    case 'anomaly':
      return { text: 'Look at what happened in these hours: changes, maintenance, alerts, neighbours', href: '/alerts-dashboard' };
    case 'seasonality':
      return { text: 'Put maintenance into the quiet hours, and judge alerts by the time of day', href: '/maintenance' };
    case 'correlation':
      return { text: 'Look at both when one of them changes', href };
  }
}
