import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type IncidentRules, type RulesPreview, incidentRulesQuery, rulesPreviewQuery, useSaveIncidentRules } from '../api/incidents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { type RulesDraft, draftOf, rulesOf } from '../incidents/draft.ts';
import { CategoryRules, OpenRules, SeverityRules, Steps } from '../incidents/rule-sections.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';
import { ChangedMeanwhile } from './changed-meanwhile.tsx';
import { useTitle } from './use-title.ts';

/** What opens incidents, how they are classified and who is told, with what of the last 30 days would have opened one. */
export function IncidentRulesPage() {
  useTitle(t('Rules of incidents'));
  const query = useQuery(incidentRulesQuery());
  // Above the form, which begins anew with each revision: what came of saving stays.
  const save = useSaveIncidentRules(query.data?.revision ?? 0);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <p className="crumb">
            <Link to="/incidents">{t('Incidents')}</Link>
          </p>
          <h1>{t('Rules of incidents')}</h1>
          <p className="page-lead">{t('Which alerts become work for people, how severe that is, and who hears of it.')}</p>
        </div>
      </header>
      <Waiting query={query} what={t('rules')} />
      {query.data === undefined ? null : <Form key={query.data.revision} rules={query.data.rules} save={save} />}
    </div>
  );
}

type Saving = ReturnType<typeof useSaveIncidentRules>;

function Form({ rules, save }: { readonly rules: IncidentRules; readonly save: Saving }) {
  const refusal = useRefusal('administer', 'incidents', true);
  const [draft, setDraft] = useState<RulesDraft>(() => draftOf(rules));
  const set = (change: Partial<RulesDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const written = rulesOf(draft);
  return (
    <form
      className="drawer-body"
      aria-label={t('Rules of incidents')}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      {refusal === undefined ? null : <p className="faint">{`${refusal.charAt(0).toUpperCase()}${refusal.slice(1)}.`}</p>}
      <fieldset className="plain-fieldset" disabled={refusal !== undefined}>
        <OpenRules draft={draft} set={set} />
        <SeverityRules draft={draft} set={set} />
        <CategoryRules draft={draft} set={set} />
        <Steps draft={draft} set={set} />
      </fieldset>
      <Trying written={written} save={save} may={refusal === undefined} />
    </form>
  );
}

type TryingProps = { readonly written: ReturnType<typeof rulesOf>; readonly save: Saving; readonly may: boolean };

/** What the rules as they are written would have done, and the button that puts them in force. */
function Trying({ written, save, may }: TryingProps) {
  const [asked, setAsked] = useState<IncidentRules>();
  const preview = useQuery({ ...rulesPreviewQuery(asked), enabled: asked !== undefined });
  const isStale = !written.ok || JSON.stringify(asked) !== JSON.stringify(written.value);
  return (
    <Section title={t('The last 30 days by these rules')}>
      {written.ok ? null : (
        <p role="alert" className="notice">
          {written.error}
        </p>
      )}
      {asked === undefined || preview.data !== undefined ? null : <Waiting query={preview} what={t('problems')} />}
      {preview.isError && preview.data !== undefined ? <ErrorNotice error={preview.error} /> : null}
      {asked === undefined || preview.data === undefined ? (
        <p className="soft">{t('Before you save, look at what of the last 30 days would have opened an incident.')}</p>
      ) : (
        <Seen preview={preview.data} isStale={isStale} />
      )}
      {save.isError ? (
        save.error.code === 'revision_conflict' ? (
          <ChangedMeanwhile error={save.error} kind="incident-rules" id="" name={t('the rules')} />
        ) : (
          <RefusedNotice error={save.error} />
        )
      ) : null}
      <p role="status" className="soft">
        {save.isSuccess ? t('Saved: they decide from now on.') : ''}
      </p>
      <div className="row-wrap">
        <Button
          variant="default"
          disabled={!written.ok}
          loading={preview.isFetching}
          onClick={() => (written.ok ? setAsked(written.value) : undefined)}
        >
          {t('Try the rules')}
        </Button>
        <Button
          disabled={!written.ok || !may}
          loading={save.isPending}
          onClick={() => (written.ok ? save.mutate(written.value) : undefined)}
        >
          {t('Save the rules')}
        </Button>
      </div>
    </Section>
  );
}

type Item = RulesPreview['items'][number];

function Seen({ preview, isStale }: { readonly preview: RulesPreview; readonly isStale: boolean }) {
  const { problems, opened, opened_now: now, items, more } = preview;
  const words = [
    t(
      '{opened, plural, one {# incident} other {# incidents}} out of {problems, plural, one {# problem} other {# problems}}; the rules in force open {now}.',
      { opened, problems, now },
    ),
    more ? t('There were more problems; the newest were looked at.') : '',
    isStale ? t('The rules were changed since; try them again.') : '',
  ];
  return (
    <>
      <p role="status">{words.filter((word) => word !== '').join(' ')}</p>
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('What opens by these rules, or by those in force')}
            columns={COLUMNS}
            rows={items}
            rowKey={({ problem }) => problem}
          />
        </div>
      )}
    </>
  );
}

function Outcome({ of }: { readonly of: Item['then'] }) {
  if (of === null) return <span className="faint">{t('none opens')}</span>;
  return (
    <>
      {`${phrase(of.severity)}, ${phrase(of.category)}`}
      <div className="soft wrap-anywhere">{of.why}</div>
    </>
  );
}

const COLUMNS: readonly Column<Item>[] = [
  { id: 'problem', header: t('Problem'), cell: ({ title }) => <span className="row-name wrap-anywhere">{title}</span> },
  { id: 'at', header: t('Began'), label: t('began'), cell: ({ at_ms: atMs }) => <Instant atMs={atMs} /> },
  { id: 'then', header: t('By these rules'), label: t('by these rules'), cell: ({ then }) => <Outcome of={then} /> },
  { id: 'now', header: t('By those in force'), label: t('by those in force'), cell: ({ now }) => <Outcome of={now} /> },
];
