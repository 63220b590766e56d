import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { type ProofKind, type ShownProof, useProve } from '../api/factors.ts';
import { onProofNeeded } from '../api/step-up.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';

type Question = { readonly kinds: readonly ProofKind[]; readonly answer: (given: boolean) => void };

/** Asks for a proof of who the person is, whenever the server wants one; what they wanted to do goes on then. */
export function StepUpDialog() {
  const [question, setQuestion] = useState<Question>();
  useEffect(() => onProofNeeded((kinds) => new Promise((answer) => setQuestion({ kinds, answer }))), []);
  const close = (given: boolean) => {
    question?.answer(given);
    setQuestion(undefined);
  };
  return (
    <Modal
      opened={question !== undefined}
      onClose={() => close(false)}
      title={t('Is it you?')}
      closeButtonProps={{ 'aria-label': t('Close without a proof') }}
    >
      {question === undefined ? null : <Proof kinds={question.kinds} onGiven={() => close(true)} />}
    </Modal>
  );
}

function Proof({ kinds, onGiven }: { readonly kinds: readonly ProofKind[]; readonly onGiven: () => void }) {
  const prove = useProve();
  const show = (shown: ShownProof) => prove.mutate(shown, { onSuccess: onGiven });
  return (
    <div className="drawer-body">
      <p className="soft">
        {t('What you are about to do administers this installation. It needs a fresh proof of who you are, good for a while.')}
        {kinds.length > 1 ? ` ${t('One of these is enough.')}` : ''}
      </p>
      {kinds.includes('passkey') ? (
        <Button loading={prove.isPending && prove.variables.kind === 'passkey'} onClick={() => show({ kind: 'passkey' })} data-autofocus>
          {t('Use a passkey')}
        </Button>
      ) : null}
      {kinds.includes('totp') ? <CodeProof onShow={show} /> : null}
      {kinds.includes('password') ? <PasswordProof onShow={show} focused={kinds.length === 1} /> : null}
      {kinds.length === 0 ? <p>{t('Your identity provider signs you in here: sign out and in again, then repeat it.')}</p> : null}
      {prove.isError ? <RefusedNotice error={prove.error} /> : null}
    </div>
  );
}

type ProofProps = { readonly onShow: (shown: ShownProof) => void; readonly focused?: boolean };

function CodeProof({ onShow }: ProofProps) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onShow({ kind: 'totp', code });
  };
  return (
    <form className="proof-row" onSubmit={submit}>
      <TextInput
        label={t('Code of the app')}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        withAsterisk={false}
        maxLength={7}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" variant="default">
        {t('Prove it with the code')}
      </Button>
    </form>
  );
}

function PasswordProof({ onShow, focused = false }: ProofProps) {
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onShow({ kind: 'password', password });
  };
  return (
    <form className="proof-row" onSubmit={submit}>
      <PasswordInput
        label={t('Password')}
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        {...(focused ? { 'data-autofocus': true } : {})}
      />
      <Button type="submit" variant="default">
        {t('Prove it with the password')}
      </Button>
    </form>
  );
}
