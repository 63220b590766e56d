import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { FactorNeeded } from '../api/actions.ts';
import { type ShownFactor, useFinishSignIn } from '../api/factors.ts';
import { hasPasskeys } from '../api/passkey.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { noteRecoveryCode } from '../shell/recovery-notice.tsx';

type Props = { readonly needed: FactorNeeded; readonly onSignedIn: () => void; readonly onBack: () => void };

/** The second step of signing in: a code, a passkey, or a recovery code in their place. */
export function SecondStep({ needed: { challenge, kinds }, onSignedIn, onBack }: Props) {
  const [recovering, setRecovering] = useState(false);
  const finish = useFinishSignIn();
  const show = (shown: ShownFactor) =>
    finish.mutate(
      { challenge, shown },
      {
        onSuccess: ({ recovery_codes_left: left }) => {
          if (left !== null) noteRecoveryCode(left);
          onSignedIn();
        },
      },
    );
  const over = finish.error?.code === 'sign_in_again';
  return (
    <>
      <p className="soft">{t('The password is right. One more proof that it is you:')}</p>
      {!recovering && kinds.includes('passkey') ? (
        <PasskeyStep waiting={finish.isPending} onShow={() => show({ kind: 'passkey' })} />
      ) : null}
      {!recovering && kinds.includes('totp') ? (
        <CodeStep
          key="totp"
          label={t('Code of the app')}
          numeric
          waiting={finish.isPending}
          onShow={(code) => show({ kind: 'totp', code })}
        />
      ) : null}
      {recovering ? (
        <CodeStep
          key="recovery"
          label={t('Recovery code')}
          waiting={finish.isPending}
          onShow={(code) => show({ kind: 'recovery_code', code })}
        />
      ) : null}
      {finish.isError ? <RefusedNotice error={finish.error} /> : null}
      <div className="row-wrap">
        {kinds.includes('recovery_code') && !over ? (
          <button type="button" className="plain-button" onClick={() => setRecovering(!recovering)}>
            {recovering ? t('Use the app or a passkey') : t('Use a recovery code')}
          </button>
        ) : null}
        <button type="button" className="plain-button" onClick={onBack}>
          {t('Begin again')}
        </button>
      </div>
      {kinds.includes('recovery_code') ? null : <p className="faint">{t('Lost it? An administrator can take it away.')}</p>}
    </>
  );
}

function PasskeyStep({ waiting, onShow }: { readonly waiting: boolean; readonly onShow: () => void }) {
  if (!hasPasskeys()) return <p className="faint">{t('This browser has no passkeys at this address.')}</p>;
  return (
    <Button loading={waiting} onClick={onShow} autoFocus>
      {t('Use a passkey')}
    </Button>
  );
}

type CodeProps = { readonly label: string; readonly numeric?: boolean; readonly waiting: boolean; readonly onShow: (code: string) => void };

function CodeStep({ label, numeric = false, waiting, onShow }: CodeProps) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onShow(code);
  };
  return (
    <form className="code-step" onSubmit={submit}>
      <TextInput
        label={label}
        inputMode={numeric ? 'numeric' : 'text'}
        autoComplete={numeric ? 'one-time-code' : 'off'}
        required
        autoFocus
        maxLength={numeric ? 7 : 40}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" loading={waiting}>
        {t('Sign in')}
      </Button>
    </form>
  );
}
