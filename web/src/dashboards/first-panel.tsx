import { Button } from '@mantine/core';
import type { DashboardSpec, PanelKind } from '../api/dashboards.ts';
import { EmptyState } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { added, newPanel } from './draft.ts';
import { KIND_WORDS } from './kind-words.ts';

/** What most dashboards begin with. */
const FIRST_KINDS: readonly PanelKind[] = ['line', 'card', 'table', 'state', 'slo_budget', 'alert_list', 'text'];

type Props = {
  readonly spec: DashboardSpec;
  /** Adds a panel and opens it; null while the dashboard is looked at. */
  readonly onAdd: ((spec: DashboardSpec, id: string) => void) | null;
};

/** A dashboard without a panel: what can be put on it, or where that is done. */
export function FirstPanel({ spec, onAdd }: Props) {
  if (Object.keys(spec.panels).length > 0) return null;
  if (onAdd === null) return <EmptyState>{t('This dashboard shows nothing yet.')}</EmptyState>;
  return (
    <EmptyState
      action={
        <div className="row-wrap first-panel">
          {FIRST_KINDS.map((kind) => (
            <Button
              key={kind}
              size="xs"
              variant="default"
              onClick={() => {
                const next = added(spec, newPanel(kind));
                onAdd(next.spec, next.id);
              }}
            >
              {KIND_WORDS[kind]}
            </Button>
          ))}
        </div>
      }
    >
      {t('Choose what it shows first. More kinds stand under “Add a panel”; “Save …” shows it to others.')}
    </EmptyState>
  );
}
