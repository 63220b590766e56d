import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { DashboardView, Layout, PanelKind } from '../api/dashboards.ts';
import { Instant } from '../components/instant.tsx';
import { t } from '../language/t.ts';
import { type LayoutKind, added, changesOf, newPanel } from './draft.ts';
import { KIND_WORDS } from './kind-words.ts';
import { SaveForm } from './save-form.tsx';
import { laidOutKeeping, sectionAdded } from './sections.ts';
import type { Editing } from './use-editing.ts';

const LAYOUT_WORDS: Readonly<Record<LayoutKind, string>> = {
  grid: t('As many columns as fit'),
  one_column: t('One column'),
  two_columns: t('Two columns'),
  three_columns: t('Three columns'),
  custom: t('Placed by hand'),
};

/** What of the dashboard itself is edited below the bar. */
export type EditedPart = 'variables' | 'annotations';

type Props = {
  readonly of: DashboardView;
  readonly editing: Editing;
  readonly part: EditedPart | undefined;
  readonly onPart: (part: EditedPart | undefined) => void;
  readonly onPanel: (id: string) => void;
  readonly onDone: () => void;
};

/** What can be done to the dashboard as a whole while it is edited; nothing is changed for others before it is saved. */
export function EditBar({ of, editing, part, onPart, onPanel, onDone }: Props) {
  const [saving, setSaving] = useState(false);
  const { spec } = editing;
  const changes = changesOf(of.spec, spec);
  useUndoKeys(editing);
  return (
    <div className="panel edit-bar" role="region" aria-label={t('Editing')}>
      <Unfinished editing={editing} />
      <div className="row-wrap">
        <Whole editing={editing} onPanel={onPanel} />
        {(['variables', 'annotations'] as const).map((one) => (
          <Button key={one} size="xs" variant="default" aria-expanded={part === one} onClick={() => onPart(part === one ? undefined : one)}>
            {one === 'variables'
              ? t('Variables ({count})', { count: spec.variables.length })
              : t('Behind the charts ({count})', { count: spec.annotations.filter(({ shown }) => shown).length })}
          </Button>
        ))}
        <Steps editing={editing} />
        <span className="soft small">
          {changes.length === 0 ? t('Nothing is changed yet.') : t('{count} changed', { count: changes.length })}
        </span>
        <Button size="xs" disabled={changes.length === 0 || spec.title === ''} onClick={() => setSaving(true)}>
          {t('Save …')}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            if (changes.length > 0) editing.throwAway();
            onDone();
          }}
        >
          {changes.length > 0 ? t('Discard the changes') : t('Stop editing')}
        </Button>
      </div>
      <Modal
        opened={saving}
        onClose={() => setSaving(false)}
        title={t('Save the dashboard')}
        closeButtonProps={{ 'aria-label': t('Close without saving') }}
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

/** Its title and layout, and what is added to it. The last free grid is kept, so that trying columns loses nobody's places. */
function Whole({ editing: { spec, change }, onPanel }: Pick<Props, 'editing' | 'onPanel'>) {
  const placed = useRef<Layout | undefined>(undefined);
  if (spec.layout.kind === 'custom') placed.current = spec.layout;
  return (
    <>
      <TextInput
        size="xs"
        aria-label={t('Title of the dashboard')}
        value={spec.title}
        maxLength={200}
        onChange={(event) => change({ ...spec, title: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label={t('Layout')}
        data={Object.entries(LAYOUT_WORDS).map(([value, label]) => ({ value, label }))}
        value={spec.layout.kind}
        onChange={(event) => change(laidOutKeeping(spec, event.currentTarget.value as LayoutKind, placed.current))}
      />
      <NativeSelect
        size="xs"
        aria-label={t('Add a panel')}
        data={[{ value: '', label: t('Add a panel …') }, ...Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))]}
        value=""
        onChange={(event) => {
          if (event.currentTarget.value === '') return;
          const next = added(spec, newPanel(event.currentTarget.value as PanelKind));
          change(next.spec);
          onPanel(next.id);
        }}
      />
      <Button size="xs" variant="default" onClick={() => change(sectionAdded(spec, t('New section')))}>
        {t('Add a section')}
      </Button>
    </>
  );
}

function Steps({ editing: { undo, redo } }: Pick<Props, 'editing'>) {
  return (
    <>
      <Button size="xs" variant="default" disabled={undo === null} onClick={() => undo?.()} aria-keyshortcuts="Control+Z">
        {t('Undo')}
      </Button>
      <Button size="xs" variant="default" disabled={redo === null} onClick={() => redo?.()} aria-keyshortcuts="Control+Shift+Z">
        {t('Redo')}
      </Button>
    </>
  );
}

/** Where text is typed the browser's own undo has the keys. */
function useUndoKeys({ undo, redo }: Editing): void {
  const steps = useRef({ undo, redo });
  steps.current = { undo, redo };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
      if (event.target instanceof HTMLElement && event.target.matches('input, textarea, select, [contenteditable]')) return;
      event.preventDefault();
      (event.shiftKey ? steps.current.redo : steps.current.undo)?.();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

function Unfinished({ editing: { left, takeUp, throwAway } }: { readonly editing: Editing }) {
  if (left === null) return null;
  return (
    <p className="row-wrap">
      <span>
        {t('You left changes unfinished:')} <Instant atMs={left.at_ms} />
      </span>
      <Button size="compact-xs" onClick={takeUp}>
        {t('Go on with them')}
      </Button>
      <Button size="compact-xs" variant="default" onClick={throwAway}>
        {t('Throw them away')}
      </Button>
    </p>
  );
}
