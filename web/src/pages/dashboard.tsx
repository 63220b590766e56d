import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { type DashboardView, dashboardQuery } from '../api/dashboards.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Waiting } from '../components/notices.tsx';
import { BoardView, type SearchChange, searchAfter } from '../dashboards/board-view.tsx';
import { AnnotationsEditor } from '../dashboards/annotations-editor.tsx';
import { EditBar, type EditedPart } from '../dashboards/edit-bar.tsx';
import { FirstPanel } from '../dashboards/first-panel.tsx';
import { HistorySide } from '../dashboards/history-side.tsx';
import { MakeDashboard } from '../dashboards/make-dashboard.tsx';
import { PanelEditor } from '../dashboards/panel-editor.tsx';
import { PanelTools } from '../dashboards/panel-tools.tsx';
import type { DashboardSearch } from '../dashboards/search.ts';
import { SectionTools } from '../dashboards/section-tools.tsx';
import { useEditing } from '../dashboards/use-editing.ts';
import { VariablesEditor } from '../dashboards/variables-editor.tsx';
import { Share } from '../embeds/share.tsx';
import { useTitle } from './use-title.ts';
import '../styles/dashboards.css';
import { t } from '../language/t.ts';

/** One dashboard. */
export function DashboardPage() {
  const { id } = useParams({ from: '/shell/dashboards/$id' });
  const query = useQuery(dashboardQuery(id));
  useTitle(query.data?.title ?? t('Dashboard'));
  return (
    <div className="page dash-page">
      <Waiting query={query} what={t('the dashboard')} />
      {query.data === undefined ? null : <Opened key={id} of={query.data} />}
    </div>
  );
}

function Opened({ of }: { readonly of: DashboardView }) {
  const search = useSearch({ from: '/shell/dashboards/$id' });
  const navigate = useNavigate({ from: '/dashboards/$id' });
  const onSearch = useCallback(
    (change: SearchChange, { replace = false } = {}) =>
      void navigate({ search: (before) => searchAfter(before, change), replace, resetScroll: false }),
    [navigate],
  );
  const active = search.edit === 1 && of.editable.allowed;
  const editing = useEditing(of, active);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const [part, setPart] = useState<EditedPart | undefined>(undefined);
  const panel = chosen === undefined || !active ? undefined : editing.spec.panels[chosen];
  const tools = active
    ? (id: string) => (
        <PanelTools
          id={id}
          title={editing.spec.panels[id]?.title || id}
          spec={editing.spec}
          onChange={editing.change}
          onEdit={() => setChosen(id)}
        />
      )
    : undefined;
  const sectionTools = (at: number) => <SectionTools spec={editing.spec} at={at} onChange={editing.change} />;
  return (
    <>
      <Head of={of} search={search} onSearch={onSearch} editing={active} />
      {search.side === 'history' ? <HistorySide of={of} mayChange={of.editable.allowed} /> : null}
      {active ? (
        <EditBar
          of={of}
          editing={editing}
          part={part}
          onPart={setPart}
          onPanel={setChosen}
          onDone={() => {
            setChosen(undefined);
            onSearch({ edit: undefined });
          }}
        />
      ) : null}
      <BoardView spec={editing.spec} search={search} onSearch={onSearch} {...(tools === undefined ? {} : { tools, sectionTools })}>
        {active && part === 'variables' ? <VariablesEditor spec={editing.spec} chosen={search.vars} onChange={editing.change} /> : null}
        {active && part === 'annotations' ? <AnnotationsEditor spec={editing.spec} onChange={editing.change} /> : null}
        <FirstPanel
          spec={editing.spec}
          onAdd={
            active
              ? (next, id) => {
                  editing.change(next);
                  setChosen(id);
                }
              : null
          }
        />
        {panel === undefined || chosen === undefined ? null : (
          <PanelEditor
            key={chosen}
            panel={panel}
            onChange={(next) => editing.change({ ...editing.spec, panels: { ...editing.spec.panels, [chosen]: next } })}
            onDone={() => setChosen(undefined)}
          />
        )}
      </BoardView>
    </>
  );
}

type HeadProps = {
  readonly of: DashboardView;
  readonly onSearch: (change: SearchChange) => void;
  readonly search: DashboardSearch;
  readonly editing: boolean;
};

function Head({ of, search, onSearch, editing }: HeadProps) {
  const { side } = search;
  return (
    <header className="page-head">
      <div>
        <p className="crumb no-print">
          <Link to="/dashboards">{t('Dashboards')}</Link>
        </p>
        <h1>{of.title}</h1>
        {of.description === '' ? null : <p className="page-lead">{of.description}</p>}
      </div>
      <div className="row-wrap no-print">
        {of.editable.allowed && !editing ? (
          <Button size="xs" onClick={() => onSearch({ edit: 1, panel: undefined })}>
            {t('Edit')}
          </Button>
        ) : null}
        {of.editable.allowed ? null : <span className="soft small">{of.editable.reason}</span>}
        <MakeDashboard from={of.spec} word={t('Save a copy')} />
        <Share of={of} search={search} />
        <Button size="xs" variant="default" onClick={() => onSearch({ side: side === 'history' ? undefined : 'history' })}>
          {side === 'history' ? t('Close the versions') : t('Versions')}
        </Button>
        <a href={`/api/dashboards/${encodeURIComponent(of.id)}?format=yaml`} download>
          {t('As YAML')}
        </a>
        <Link to="." search={(before) => ({ ...before, kiosk: 1 as const })}>
          {t('For a wall')}
        </Link>
        <ObjectMenu kind="dashboards" id={of.id} name={of.title} />
      </div>
    </header>
  );
}
