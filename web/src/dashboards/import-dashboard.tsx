import { Button, FileInput, Modal, Textarea, TextInput } from '@mantine/core';
import type { ImportView } from '@nines/server/dashboards/contract.ts';
import { useNavigate } from '@tanstack/react-router';
import { type DragEvent, useState } from 'react';
import { useImportDashboard } from '../api/dashboards.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import '../styles/import-dashboard.css';

/** As much as the server reads. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Brings a dashboard of Grafana here: what is lost is shown panel by panel before anything is saved. */
export function ImportDashboard() {
  const mayMake = useCan('operate', 'dashboards');
  const [opened, setOpened] = useState(false);
  if (!mayMake) return null;
  const close = () => setOpened(false);
  return (
    <>
      <Button variant="default" className="no-print" onClick={() => setOpened(true)}>
        {t('Import from Grafana')}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        size="xl"
        title={t('Import a dashboard of Grafana')}
        closeButtonProps={{ 'aria-label': t('Close without an import') }}
      >
        <ImportForm onDone={close} />
      </Modal>
    </>
  );
}

function ImportForm({ onDone }: { readonly onDone: () => void }) {
  const look = useImportDashboard();
  const [file, setFile] = useState<unknown>();
  const [fault, setFault] = useState<string>();
  const read = (text: string): void => {
    const { value, message } = parsed(text);
    setFault(message);
    if (message !== undefined) return;
    setFile(value);
    look.mutate({ file: value, dryRun: true });
  };
  const again = (): void => {
    setFile(undefined);
    look.reset();
  };
  if (look.data !== undefined) return <Preview file={file} seen={look.data} onAgain={again} onDone={onDone} />;
  return (
    <>
      <Pick onText={read} onFault={setFault} busy={look.isPending} />
      {fault === undefined ? null : (
        <div className="notice" role="alert">
          {fault}
        </div>
      )}
      {look.isError ? <RefusedNotice error={look.error} /> : null}
    </>
  );
}

/** The message of the parser names the place in the text. */
function parsed(text: string): { readonly value?: unknown; readonly message?: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (thrown) {
    return { message: t('This is not JSON: {why}', { why: thrown instanceof Error ? thrown.message : '' }) };
  }
}

type PickProps = { readonly onText: (text: string) => void; readonly onFault: (fault: string) => void; readonly busy: boolean };

/** A file that is dropped or chosen, or its text pasted. */
function Pick({ onText, onFault, busy }: PickProps) {
  const [over, setOver] = useState(false);
  const [pasted, setPasted] = useState('');
  const take = async (file: File | null | undefined): Promise<void> => {
    if (file === null || file === undefined) return;
    if (file.size > MOST_BYTES) onFault(t('{name} is larger than 8 MiB.', { name: file.name }));
    else onText(await file.text());
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  const onDragOver = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <div className={over ? 'import-drop over' : 'import-drop'} onDrop={onDrop} onDragOver={onDragOver} onDragLeave={() => setOver(false)}>
      <FileInput
        label={t('File')}
        description={t('What Grafana exports as JSON, Classic or resource (V1, V2). Drop it here or choose it.')}
        placeholder={t('Choose a file')}
        accept=".json,application/json"
        data-autofocus
        onChange={(file) => void take(file)}
      />
      <Textarea
        label={t('Or its text')}
        rows={6}
        value={pasted}
        spellCheck={false}
        onChange={(event) => setPasted(event.currentTarget.value)}
      />
      <Button disabled={pasted.trim() === ''} loading={busy} onClick={() => onText(pasted)}>
        {t('See what it becomes')}
      </Button>
    </div>
  );
}

type PreviewProps = { readonly file: unknown; readonly seen: ImportView; readonly onAgain: () => void; readonly onDone: () => void };

function Preview({ file, seen, onAgain, onDone }: PreviewProps) {
  const { dashboard, losses, panels } = seen;
  const [id, setId] = useState(dashboard.id);
  const save = useImportDashboard();
  const navigate = useNavigate();
  const onSave = () =>
    save.mutate(
      { file, id },
      {
        onSuccess: ({ dashboard: { id: made } }) => {
          onDone();
          void navigate({ to: '/dashboards/$id', params: { id: made } });
        },
      },
    );
  const left = panels.found - panels.converted;
  return (
    <div className="import-seen">
      <h3>{dashboard.title}</h3>
      <p>
        {t('{converted} of {found} panels come along', panels)}
        {left === 0 ? '.' : t('; {left, plural, one {# is left out} other {# are left out}}.', { left })}{' '}
        {losses.length === 0
          ? t('Nothing is lost.')
          : t('{count, plural, one {One thing is} other {# things are}} lost:', { count: losses.length })}
      </p>
      {losses.length === 0 ? null : <LossList losses={losses} />}
      <TextInput
        label={t('Id')}
        description={t('Its address: /dashboards/{id}', { id })}
        value={id}
        maxLength={63}
        onChange={(event) => setId(event.currentTarget.value)}
      />
      {save.isError ? <RefusedNotice error={save.error} /> : null}
      <div className="row-wrap">
        <Button onClick={onSave} loading={save.isPending} disabled={id === ''}>
          {t('Import it')}
        </Button>
        <Button variant="default" onClick={onAgain}>
          {t('Another file')}
        </Button>
      </div>
    </div>
  );
}

/** Panel by panel; first what concerns the whole dashboard. */
function LossList({ losses }: { readonly losses: ImportView['losses'] }) {
  const names = [...new Set(losses.map(({ panel }) => panel))].sort((a, b) => Number(b === '') - Number(a === ''));
  return (
    <div className="import-losses" role="region" aria-label={t('What is lost')} tabIndex={0}>
      {names.map((name) => (
        <section key={name}>
          <h4>{name === '' ? t('The dashboard') : name}</h4>
          <ul>
            {losses
              .filter(({ panel }) => panel === name)
              .map(({ what, why }) => (
                <li key={`${what}\n${why}`}>
                  {what} <span className="faint">– {why}</span>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
