import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiProblem } from '../api/problem.ts';
import { type RuleDetailView, useSaveRule } from '../api/rules.ts';
import { Locked } from '../components/locked.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { rich, t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import type { Written } from './draft.ts';

type Props = {
  readonly rule: Written;
  /** The same as text, to copy. */
  readonly yaml?: string;
  /** It is not complete yet. */
  readonly disabled: boolean;
  /** The saved rule whose place it takes. */
  readonly of?: RuleDetailView | undefined;
  readonly onSaved?: ((saved: RuleDetailView) => void) | undefined;
};

/** Saves a rule, from when on it is evaluated. Where somebody else was first: both ways on. */
export function SaveRule({ rule, yaml, disabled, of, onSaved }: Props) {
  const [copied, setCopied] = useState(false);
  const may = useCan('operate', 'alerts');
  const save = useSaveRule();
  const send = (revision: number | undefined): void =>
    save.mutate({ rule, id: of?.id, revision }, onSaved === undefined ? {} : { onSuccess: onSaved });
  const copy =
    yaml === undefined ? null : (
      <Button
        size="xs"
        variant="default"
        onClick={() => void navigator.clipboard.writeText(yaml).then(() => setCopied(true))}
        onBlur={() => setCopied(false)}
      >
        {copied ? t('Copied') : t('Copy YAML')}
      </Button>
    );
  if (!may)
    return (
      <>
        <Locked word={t('Save the rule')} verb="operate" area="alerts" />
        {copy}
      </>
    );
  const isConflict = save.error instanceof ApiProblem && save.error.code === 'revision_conflict';
  return (
    <>
      {save.isError && !isConflict ? <RefusedNotice error={save.error} /> : null}
      {isConflict ? (
        <div className="notice" role="alert">
          <p>
            <strong>{t('Somebody else saved this rule while you were editing.')}</strong>
          </p>
          <p className="soft">{t('Saving yours puts it in the place of theirs; what theirs was stays in the history.')}</p>
          <Button size="xs" loading={save.isPending} onClick={() => send(undefined)}>
            {t('Save mine')}
          </Button>
        </div>
      ) : (
        <div className="row-wrap">
          <Button size="xs" loading={save.isPending} disabled={disabled} onClick={() => send(of?.revision)}>
            {t('Save the rule')}
          </Button>
          {copy}
        </div>
      )}
      {save.data === undefined ? null : (
        <p role="status">
          {rich('Saved: it is evaluated from now on. <rule>See the rule</rule>', {
            rule: (inner) => (
              <Link to="/rules" search={{ rule: save.data.id }}>
                {inner}
              </Link>
            ),
          })}
        </p>
      )}
    </>
  );
}
