import { Button, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { widgetsQuery } from '../api/widgets.ts';
import type { Panel, PanelKind, PanelOf, Unit } from '../api/dashboards.ts';
import { t } from '../language/t.ts';
import { type FigurePanel, useBoard } from './context.ts';
import { MANY_QUERIES, costOf } from './cost.ts';
import { newPanel } from './draft.ts';
import { KIND_WORDS } from './kind-words.ts';

type Props = { readonly panel: Panel; readonly onChange: (panel: Panel) => void; readonly onDone: () => void };

const UNIT_WORDS: Readonly<Record<Unit, string>> = {
  number: t('Number'),
  percent: t('Percent, 0 to 100'),
  ratio: t('Ratio, 0 to 1, as percent'),
  bytes: t('Bytes'),
  bytes_per_second: t('Bytes a second'),
  seconds: t('Seconds'),
  milliseconds: t('Milliseconds'),
  per_second: t('A second'),
  currency: t('Money'),
};

/** Everything that one panel is; the panel above changes as it is typed. */
export function PanelEditor({ panel, onChange, onDone }: Props) {
  return (
    <section className="panel panel-editor" aria-label={t('Panel editor')}>
      <div className="row-wrap">
        <NativeSelect
          size="xs"
          label={t('Draws')}
          data={Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))}
          value={panel.kind}
          onChange={(event) => onChange(asKind(panel, event.currentTarget.value as PanelKind))}
        />
        <TextInput
          size="xs"
          label={t('Title')}
          value={panel.title}
          onChange={(event) => onChange({ ...panel, title: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label={t('Description')}
          value={panel.description}
          onChange={(event) => onChange({ ...panel, description: event.currentTarget.value })}
        />
        {'unit' in panel ? (
          <NativeSelect
            size="xs"
            label={t('Unit')}
            data={Object.entries(UNIT_WORDS).map(([value, label]) => ({ value, label }))}
            value={panel.unit}
            onChange={(event) => onChange({ ...panel, unit: event.currentTarget.value as Unit })}
          />
        ) : null}
      </div>
      {panel.kind === 'text' ? (
        <Textarea
          label="Markdown"
          autosize
          minRows={4}
          value={panel.markdown}
          onChange={(event) => onChange({ ...panel, markdown: event.currentTarget.value })}
        />
      ) : null}
      {panel.kind === 'custom' ? <WidgetChoice panel={panel} onChange={onChange} /> : null}
      <Cost panel={panel} />
      {'unit' in panel && panel.source.from === 'promql' ? <Queries panel={panel} onChange={onChange} /> : null}
      <Whole key={panel.kind} panel={panel} onChange={onChange} />
      <Button size="xs" onClick={onDone}>
        {t('Done')}
      </Button>
    </section>
  );
}

function WidgetChoice({ panel, onChange }: { readonly panel: PanelOf<'custom'>; readonly onChange: (panel: Panel) => void }) {
  const known = useQuery(widgetsQuery()).data?.items ?? [];
  const listed = known.some(({ id }) => id === panel.widget)
    ? []
    : [{ value: panel.widget, label: panel.widget === '' ? t('Choose a widget …') : panel.widget }];
  return (
    <NativeSelect
      size="xs"
      label={t('Widget')}
      data={[...listed, ...known.map(({ id, name }) => ({ value: id, label: name }))]}
      value={panel.widget}
      onChange={(event) => onChange({ ...panel, widget: event.currentTarget.value })}
    />
  );
}

/** What a panel asks of the server: many queries are many, and those that are not pushed are asked for everybody who has it open. */
function Cost({ panel }: { readonly panel: Panel }) {
  const { view, refresh } = useBoard();
  const { queries, values, aMinute, pushed } = costOf(panel, view, refresh);
  if (queries === 0) return null;
  return (
    <p className={queries > MANY_QUERIES ? 'small' : 'faint small'}>
      {t('Asks {queries, plural, one {# query} other {# queries}}: up to {values} values for each series when it is opened', {
        queries,
        values,
      })}
      {pushed
        ? t(', then what changes is pushed: it is calculated once for everybody who looks.')
        : aMinute === 0
          ? '.'
          : t(', then {aMinute, plural, one {# question} other {# questions}} a minute while it is looked at.', { aMinute })}
      {queries > MANY_QUERIES ? ` ${t('Fewer panels or one query that groups by a label cost less.')}` : ''}
    </p>
  );
}

/** Another kind of panel with what both have. */
function asKind(panel: Panel, kind: PanelKind): Panel {
  const next = newPanel(kind);
  const kept = { title: panel.title, description: panel.description, links: panel.links };
  if ('unit' in next && 'unit' in panel && panel.source.from === 'promql')
    return { ...next, ...kept, unit: panel.unit, thresholds: panel.thresholds, source: panel.source } as Panel;
  return { ...next, ...kept };
}

type Asked = Extract<PanelOf<'line'>['source'], { from: 'promql' }>['queries'][number];

function Queries({ panel, onChange }: { readonly panel: FigurePanel; readonly onChange: (panel: Panel) => void }) {
  if (panel.source.from !== 'promql') return null;
  const { queries } = panel.source;
  const set = (next: Asked[]) => onChange({ ...panel, source: { from: 'promql', queries: next } });
  return (
    <>
      {queries.map((query, at) => (
        // A query has no name of its own: its place is what it is.
        <div key={at} className="query-row">
          <Textarea
            size="xs"
            label={queries.length === 1 ? 'PromQL' : `PromQL ${at + 1}`}
            autosize
            minRows={1}
            className="mono-input"
            value={query.expr}
            onChange={(event) => set(queries.map((one, place) => (place === at ? { ...one, expr: event.currentTarget.value } : one)))}
          />
          <TextInput
            size="xs"
            label={t('Legend')}
            placeholder="{{instance}}"
            value={query.legend ?? ''}
            onChange={(event) => set(queries.map((one, place) => (place === at ? { ...one, legend: event.currentTarget.value } : one)))}
          />
          {queries.length > 1 ? (
            <Button size="xs" variant="default" onClick={() => set(queries.filter((_one, place) => place !== at))}>
              {t('Remove')}
            </Button>
          ) : null}
        </div>
      ))}
      <Button size="xs" variant="default" onClick={() => set([...queries, { expr: 'up', legend: '{{job}}' }])}>
        {t('Add a query')}
      </Button>
    </>
  );
}

/** What has no field of its own: the panel as the document holds it. The server says what of it is wrong. */
function Whole({ panel, onChange }: Pick<Props, 'panel' | 'onChange'>) {
  const [text, setText] = useState<string | undefined>(undefined);
  const [wrong, setWrong] = useState('');
  const take = () => {
    if (text === undefined) return;
    try {
      const next: unknown = JSON.parse(text);
      if (typeof next !== 'object' || next === null || Reflect.get(next, 'kind') !== panel.kind)
        setWrong(t('This is no panel of kind {kind}.', { kind: panel.kind }));
      else {
        onChange(next as Panel);
        setText(undefined);
        setWrong('');
      }
    } catch (thrown) {
      setWrong(thrown instanceof Error ? thrown.message : t('This is no JSON.'));
    }
  };
  return (
    <details>
      <summary>{t('All of it, as JSON')}</summary>
      <Textarea
        aria-label={t('The panel as JSON')}
        autosize
        minRows={6}
        maxRows={24}
        className="mono-input"
        error={wrong === '' ? undefined : wrong}
        value={text ?? JSON.stringify(panel, null, 2)}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button size="xs" variant="default" disabled={text === undefined} onClick={take}>
        {t('Take it over')}
      </Button>
    </details>
  );
}
