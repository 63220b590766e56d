import { Checkbox, TextInput } from '@mantine/core';
import type { DashboardSpec } from '../api/dashboards.ts';
import { t } from '../language/t.ts';
import { sectionChanged, sectionMoved, sectionRemoved } from './sections.ts';

type Props = { readonly spec: DashboardSpec; readonly at: number; readonly onChange: (spec: DashboardSpec) => void };

/** Names, folds, moves and removes one section. */
export function SectionTools({ spec, at, onChange }: Props) {
  const { sections } = spec.layout;
  const section = sections[at];
  if (section === undefined) return null;
  const name = section.title === '' ? t('Part {number}', { number: at + 1 }) : section.title;
  return (
    <span className="row-wrap section-tools">
      <TextInput
        size="xs"
        aria-label={t('Name of section {number}', { number: at + 1 })}
        placeholder={t('without a name')}
        value={section.title}
        maxLength={200}
        onChange={(event) => onChange(sectionChanged(spec, at, { title: event.currentTarget.value }))}
      />
      <Checkbox
        size="xs"
        label={t('Folded at first')}
        checked={section.collapsed}
        onChange={(event) => onChange(sectionChanged(spec, at, { collapsed: event.currentTarget.checked }))}
      />
      <button
        type="button"
        className="tool"
        disabled={at === 0}
        aria-label={t('Move {name} up', { name })}
        onClick={() => onChange(sectionMoved(spec, at, -1))}
      >
        ↑
      </button>
      <button
        type="button"
        className="tool"
        disabled={at === sections.length - 1}
        aria-label={t('Move {name} down', { name })}
        onClick={() => onChange(sectionMoved(spec, at, 1))}
      >
        ↓
      </button>
      {sections.length > 1 ? (
        <button
          type="button"
          className="tool"
          title={t('Its panels go to the section beside it.')}
          aria-label={t('Remove {title}', { title: name })}
          onClick={() => onChange(sectionRemoved(spec, at))}
        >
          {t('Remove')}
        </button>
      ) : null}
    </span>
  );
}
