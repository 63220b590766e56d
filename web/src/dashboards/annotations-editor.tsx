import { Button, Checkbox, TextInput, Textarea } from '@mantine/core';
import { useMemo } from 'react';
import type { Annotation, DashboardSpec } from '../api/dashboards.ts';
import { t } from '../language/t.ts';
import { useBoard } from './context.ts';
import { useBands } from './use-bands.ts';

type Props = { readonly spec: DashboardSpec; readonly onChange: (spec: DashboardSpec) => void };
type Asked = Extract<Annotation, { from: 'promql' }>;
type Known = Exclude<Annotation, Asked>['from'];

const KNOWN_WORDS: Readonly<Record<Known, string>> = {
  incidents: t('Incidents'),
  maintenance: t('Maintenance'),
  alerts: t('Alerts that fired'),
  deployments: t('Deployments'),
};
const KNOWN = Object.keys(KNOWN_WORDS) as readonly Known[];

/** What stands behind the lines of all charts, with how much of it there is in this stretch of time. */
export function AnnotationsEditor({ spec, onChange }: Props) {
  const put = (annotations: readonly Annotation[]) => onChange({ ...spec, annotations: [...annotations] });
  const all = spec.annotations;
  return (
    <section className="panel panel-editor" aria-label={t('Behind the charts')}>
      <p className="soft small">{t('What is marked behind every chart over time, so that a line and its cause are seen together.')}</p>
      {KNOWN.map((from) => {
        const at = all.findIndex((one) => one.from === from);
        const shown = all[at]?.shown === true;
        return (
          <div key={from} className="row-wrap">
            <Checkbox
              size="sm"
              label={KNOWN_WORDS[from]}
              checked={shown}
              onChange={(event) => {
                const others = all.filter((one) => one.from !== from);
                put(event.currentTarget.checked ? [...others, { from, title: '', shown: true }] : others);
              }}
            />
            {shown ? <Found annotation={{ from, title: '', shown: true }} /> : null}
          </div>
        );
      })}
      {all.map((one, at) =>
        one.from === 'promql' ? (
          // A title changes while it is typed: the place is what lasts.
          <AskedRow
            key={at}
            annotation={one}
            onAnnotation={(next) => put(all.map((each, place) => (place === at ? next : each)))}
            onRemove={() => put(all.filter((_each, place) => place !== at))}
          />
        ) : null,
      )}
      <Button
        size="xs"
        variant="default"
        onClick={() => put([...all, { from: 'promql', title: t('Own condition'), shown: true, expr: 'up == bool 0' }])}
      >
        {t('Add a condition in PromQL')}
      </Button>
    </section>
  );
}

type RowProps = { readonly annotation: Asked; readonly onAnnotation: (next: Asked) => void; readonly onRemove: () => void };

function AskedRow({ annotation, onAnnotation, onRemove }: RowProps) {
  return (
    <div className="query-row">
      <Textarea
        size="xs"
        label={t('Where this is above zero')}
        autosize
        minRows={1}
        className="mono-input"
        value={annotation.expr}
        onChange={(event) => onAnnotation({ ...annotation, expr: event.currentTarget.value })}
      />
      <TextInput
        size="xs"
        label={t('Is called')}
        value={annotation.title}
        onChange={(event) => onAnnotation({ ...annotation, title: event.currentTarget.value })}
      />
      <Button size="xs" variant="default" onClick={onRemove}>
        {t('Remove')}
      </Button>
      <Found annotation={annotation} />
    </div>
  );
}

/** How often it is marked in what is shown now. */
function Found({ annotation }: { readonly annotation: Annotation }) {
  const { view } = useBoard();
  const stamp = JSON.stringify(annotation);
  const one = useMemo(() => [annotation], [stamp]);
  const bands = useBands(one, view, true);
  return (
    <span className="faint small">
      {t('{count, plural, =0 {none in this stretch of time} one {# in this stretch of time} other {# in this stretch of time}}', {
        count: bands.length,
      })}
    </span>
  );
}
