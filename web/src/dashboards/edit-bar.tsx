import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type DashboardView, type PanelKind, useSaveDashboard } from '../api/dashboards.ts';
import { Instant } from '../components/instant.tsx';
import { ChangedMeanwhile } from '../pages/changed-meanwhile.tsx';
import { type LayoutKind, added, changesOf, laidOut, newPanel } from './draft.ts';
import type { Editing } from './use-editing.ts';

const LAYOUT_WORDS: Readonly<Record<LayoutKind, string>> = {
  grid: 'As many columns as fit',
  one_column: 'One column',
  two_columns: 'Two columns',
  three_columns: 'Three columns',
  custom: 'Placed by hand',
};
export const KIND_WORDS: Readonly<Record<PanelKind, string>> = {
  card: 'Figure',
  line: 'Lines',
  bar: 'Bars',
  pie: 'Shares',
  gauge: 'Gauge',
  heatmap: 'Heatmap',
  table: 'Table',
  alert_list: 'Alerts',
  text: 'Text',
  slo_budget: 'Error budgets',
  status_timeline: 'Service time lines',
  state: 'Service states',
};

type Props = {
  readonly of: DashboardView;
  readonly editing: Editing;
  readonly onPanel: (id: string) => void;
  readonly onDone: () => void;
};

/** What can be done to the dashboard as a whole while it is edited; nothing is changed for others before it is saved. */
export function EditBar({ of, editing, onPanel, onDone }: Props) {
  const [saving, setSaving] = useState(false);
  const { spec, change } = editing;
  const changes = changesOf(of.spec, spec);
  return (
    <div className="panel edit-bar" role="region" aria-label="Editing">
      <Unfinished editing={editing} />
      <div className="row-wrap">
        <TextInput
          size="xs"
          aria-label="Title of the dashboard"
          value={spec.title}
          maxLength={200}
          onChange={(event) => change({ ...spec, title: event.currentTarget.value })}
        />
        <NativeSelect
          size="xs"
          aria-label="Layout"
          data={Object.entries(LAYOUT_WORDS).map(([value, label]) => ({ value, label }))}
          value={spec.layout.kind}
          onChange={(event) => change(laidOut(spec, event.currentTarget.value as LayoutKind))}
        />
        <NativeSelect
          size="xs"
          aria-label="Add a panel"
          data={[{ value: '', label: 'Add a panel …' }, ...Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))]}
          value=""
          onChange={(event) => {
            if (event.currentTarget.value === '') return;
            const next = added(spec, newPanel(event.currentTarget.value as PanelKind));
            change(next.spec);
            onPanel(next.id);
          }}
        />
        <span className="soft small">{changes.length === 0 ? 'Nothing is changed yet.' : `${changes.length} changed`}</span>
        <Button size="xs" disabled={changes.length === 0 || spec.title === ''} onClick={() => setSaving(true)}>
          Save …
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            if (changes.length > 0) editing.throwAway();
            onDone();
          }}
        >
          {changes.length > 0 ? 'Discard the changes' : 'Stop editing'}
        </Button>
      </div>
      <Modal
        opened={saving}
        onClose={() => setSaving(false)}
        title="Save the dashboard"
        closeButtonProps={{ 'aria-label': 'Close without saving' }}
      >
        <SaveForm
          of={of}
          editing={editing}
          changes={changes}
          onSaved={() => {
            setSaving(false);
            editing.throwAway();
            onDone();
          }}
        />
      </Modal>
    </div>
  );
}

function Unfinished({ editing: { left, takeUp, throwAway } }: { readonly editing: Editing }) {
  if (left === null) return null;
  return (
    <p className="row-wrap">
      <span>
        You left changes unfinished: <Instant atMs={left.at_ms} />
      </span>
      <Button size="compact-xs" onClick={takeUp}>
        Go on with them
      </Button>
      <Button size="compact-xs" variant="default" onClick={throwAway}>
        Throw them away
      </Button>
    </p>
  );
}

type SaveProps = {
  readonly of: DashboardView;
  readonly editing: Editing;
  readonly changes: readonly string[];
  readonly onSaved: () => void;
};

function SaveForm({ of, editing, changes, onSaved }: SaveProps) {
  const [note, setNote] = useState('');
  const save = useSaveDashboard(of.id);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ spec: editing.spec, note, revision: editing.base }, { onSuccess: onSaved });
  };
  return (
    <form className="time-exact" onSubmit={onSubmit}>
      <p>What changes:</p>
      <ul className="differences">
        {changes.map((change) => (
          <li key={change} className="wrap">
            {change}
          </li>
        ))}
      </ul>
      <TextInput label="Why, for the history" value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      {save.isError ? <ChangedMeanwhile error={save.error} kind="dashboards" id={of.id} name={of.title} /> : null}
      <Button type="submit" loading={save.isPending}>
        Save
      </Button>
    </form>
  );
}
