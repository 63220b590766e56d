import { Button, NativeSelect, SegmentedControl } from '@mantine/core';
import { Suspense, lazy, useCallback, useEffect, useState } from 'react';
import type { View } from '../timeline/view.ts';
import { Actions } from './actions.tsx';
import { Builder } from './builder-form.tsx';
import { ExplainTab } from './explain-tab.tsx';
import { GraphTab } from './graph-tab.tsx';
import { UNIT_WORDS, unitOfQuery } from './ready-query.ts';
import { type ExplorePanel, TABS, UNIT_NAMES } from './search.ts';
import { TableTab } from './table-tab.tsx';
import { t } from '../language/t.ts';

/** The editor is a part of its own: nobody else pays for it. */
const PromqlEditor = lazy(async () => ({ default: (await import('./promql-editor.tsx')).PromqlEditor }));

export type PanelProps = {
  readonly panel: ExplorePanel;
  readonly number: number;
  readonly view: View;
  readonly only: boolean;
  readonly onChange: (panel: ExplorePanel) => void;
  readonly onRemove: () => void;
  readonly onDouble: (() => void) | undefined;
  readonly onZoom: (view: View) => void;
};

const TAB_WORDS = { graph: t('Graph'), table: t('Table'), explain: t('Explain') } as const;

/** One query: its text, and what it gives as a picture, as rows and part by part. */
export function QueryPanel({ panel, number, view, only, onChange, onRemove, onDouble, onZoom }: PanelProps) {
  const { q, tab = 'graph' } = panel;
  const [typed, setTyped] = useState(q);
  const [building, setBuilding] = useState(false);
  useEffect(() => setTyped(q), [q]);
  const run = useCallback(
    (query: string) => {
      setTyped(query.trim());
      onChange({ ...panel, q: query.trim() });
    },
    [panel, onChange],
  );
  const unit = panel.unit ?? unitOfQuery(q);
  return (
    <section className="panel panel-pad explore-panel" aria-label={t('Query {number}', { number })}>
      <div className="explore-ask">
        <Suspense fallback={<div className="promql-editor promql-waiting">{typed}</div>}>
          <PromqlEditor label={t('PromQL of query {number}', { number })} value={typed} onChange={setTyped} onRun={run} />
        </Suspense>
        <Button onClick={() => run(typed)}>{t('Run')}</Button>
      </div>
      <div className="row-wrap explore-bar">
        <SegmentedControl
          size="xs"
          aria-label={t('What is shown of query {number}', { number })}
          data={TABS.map((value) => ({ value, label: TAB_WORDS[value] }))}
          value={tab}
          onChange={(value) => onChange({ ...panel, tab: TABS.find((one) => one === value) ?? 'graph' })}
        />
        <NativeSelect
          size="xs"
          aria-label={t('Unit of query {number}', { number })}
          data={UNIT_NAMES.map((value) => ({ value, label: UNIT_WORDS[value] }))}
          value={unit}
          onChange={({ currentTarget: { value } }) => onChange({ ...panel, unit: UNIT_NAMES.find((one) => one === value) ?? 'number' })}
        />
        <Button size="xs" variant="default" aria-expanded={building} onClick={() => setBuilding(!building)}>
          {t('Build')}
        </Button>
        {q === '' ? null : <Actions query={q} tab={tab} unit={unit} view={view} />}
        {onDouble === undefined ? null : (
          <Button size="xs" variant="default" onClick={onDouble}>
            {t('Duplicate')}
          </Button>
        )}
        {only ? null : (
          <Button size="xs" variant="default" onClick={onRemove}>
            {t('Remove')}
          </Button>
        )}
      </div>
      {building ? <Builder onUse={run} /> : null}
      {typed.trim() === q ? null : <p className="faint">{t('Changed and not run yet: Enter runs it.')}</p>}
      {q === '' ? <p className="soft">{t('Write a query, build one, or pick a metric below.')}</p> : null}
      {q !== '' && tab === 'graph' ? <GraphTab query={q} unit={unit} view={view} onZoom={onZoom} onRun={run} /> : null}
      {q !== '' && tab === 'table' ? <TableTab query={q} unit={unit} atMs={view.toMs} onRun={run} /> : null}
      {q !== '' && tab === 'explain' ? <ExplainTab query={q} atMs={view.toMs} onRun={run} /> : null}
    </section>
  );
}
