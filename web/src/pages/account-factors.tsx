import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import {
  type FactorsView,
  type PasskeyView,
  factorsQuery,
  useAddPasskey,
  useConfirmTotp,
  useMakeRecoveryCodes,
  useRemovePasskey,
  useRemoveTotp,
  useRenamePasskey,
  useStartTotp,
} from '../api/factors.ts';
import { hasPasskeys } from '../api/passkey.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { QrCode } from '../components/qr-code.tsx';
import { RecoveryCodes } from '../components/recovery-codes.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';

type Shown = { readonly onCodes: (codes: readonly string[]) => void };

/** One's own second factors: an app, passkeys, recovery codes. `onKept` is called when fresh recovery codes were kept. */
export function AccountFactors({ onKept }: { readonly onKept?: () => void }) {
  const factors = useQuery(factorsQuery());
  const [codes, setCodes] = useState<readonly string[]>([]);
  const onCodes = (fresh: readonly string[]) => {
    if (fresh.length > 0) setCodes(fresh);
    else onKept?.();
  };
  const done = () => {
    setCodes([]);
    onKept?.();
  };
  const { data } = factors;
  return (
    <>
      {codes.length > 0 ? <RecoveryCodes codes={codes} onDone={done} /> : null}
      <Waiting query={factors} what={t('your second factors')} />
      {data === undefined ? null : (
        <>
          <App factors={data} onCodes={onCodes} />
          <Passkeys factors={data} onCodes={onCodes} />
          {data.recovery === null ? null : <Recovery recovery={data.recovery} onCodes={onCodes} />}
        </>
      )}
    </>
  );
}

function App({ factors: { totp }, onCodes }: Shown & { readonly factors: FactorsView }) {
  const start = useStartTotp();
  const remove = useRemoveTotp();
  return (
    <Section title={t('Authenticator app')} aside={totp === null ? t('Not set up') : t('In use')}>
      {totp === null ? (
        <p className="soft">
          {t(
            'An app on your phone shows a code of six digits that changes every half a minute. Signing in asks for it after the password.',
          )}
        </p>
      ) : (
        <p>
          {totp.last_used_at_ms === null
            ? rich('In use since {at}.', { at: <Instant atMs={totp.created_at_ms} relative={false} /> })
            : rich('In use since {at}, last used {used}', {
                at: <Instant atMs={totp.created_at_ms} relative={false} />,
                used: <Instant atMs={totp.last_used_at_ms} />,
              })}
        </p>
      )}
      {start.data === undefined ? (
        <div className="row-wrap">
          <Button variant="default" loading={start.isPending} onClick={() => start.mutate()}>
            {totp === null ? t('Set up an app') : t('Change to another app')}
          </Button>
          {totp === null ? null : (
            <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
              {t('Remove the app')}
            </Button>
          )}
        </div>
      ) : (
        <NewApp started={start.data} onCancel={start.reset} onCodes={onCodes} />
      )}
      {start.isError ? <RefusedNotice error={start.error} /> : null}
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
    </Section>
  );
}

type NewAppProps = Shown & { readonly started: { readonly uri: string; readonly secret: string }; readonly onCancel: () => void };

function NewApp({ started, onCancel, onCodes }: NewAppProps) {
  const [code, setCode] = useState('');
  const confirm = useConfirmTotp();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(code, {
      onSuccess: ({ recovery_codes: codes }) => {
        onCancel();
        onCodes(codes);
      },
    });
  };
  return (
    <div className="new-app">
      <QrCode text={started.uri} label={t('QR code for the authenticator app; the key below says the same')} />
      <div>
        <p>{t('Scan this with the app, or type the key into it:')}</p>
        <p className="mono app-key">{started.secret.match(/.{1,4}/g)?.join(' ')}</p>
        <form onSubmit={submit}>
          <TextInput
            label={t('Code that the app shows now')}
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            autoFocus
            maxLength={7}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            w={200}
          />
          <Button type="submit" loading={confirm.isPending}>
            {t('Put it in use')}
          </Button>
          <Button variant="default" onClick={onCancel}>
            {t('Cancel')}
          </Button>
        </form>
        {confirm.isError ? <RefusedNotice error={confirm.error} /> : null}
      </div>
    </div>
  );
}

function Passkeys({ factors, onCodes }: Shown & { readonly factors: FactorsView }) {
  const remove = useRemovePasskey();
  const { passkeys } = factors;
  return (
    <Section title={t('Passkeys')} aside={passkeys.length === 0 ? t('None') : `${passkeys.length}`}>
      <p className="soft">
        {t(
          'A passkey is kept by this device, a security key or a password manager, and cannot be given away to a false page. One that asks for your fingerprint, face or PIN signs in alone.',
        )}
      </p>
      {passkeys.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Passkeys')} columns={columns((id) => remove.mutate(id))} rows={passkeys} rowKey={({ id }) => id} />
        </div>
      )}
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
      <NewPasskey factors={factors} onCodes={onCodes} />
    </Section>
  );
}

const columns = (remove: (id: string) => void): readonly Column<PasskeyView>[] => [
  { id: 'name', header: t('Name'), cell: (passkey) => <PasskeyName passkey={passkey} /> },
  {
    id: 'alone',
    header: t('Signs in'),
    label: t('signs in'),
    cell: (passkey) => (passkey.signs_in_alone ? 'alone' : t('after the password')),
  },
  {
    id: 'kept',
    header: t('Kept'),
    label: t('kept'),
    cell: (passkey) => (passkey.backed_up ? t('on several devices') : t('on one device')),
  },
  { id: 'made', header: t('Made'), label: t('made'), cell: (passkey) => <Instant atMs={passkey.created_at_ms} relative={false} /> },
  {
    id: 'used',
    header: t('Last used'),
    label: t('last used'),
    cell: ({ last_used_at_ms: at }) => (at === null ? t('never') : <Instant atMs={at} />),
  },
  {
    id: 'remove',
    header: <span className="sr-only">{t('Remove')}</span>,
    cell: ({ id, name }) => (
      <button type="button" className="plain-button" aria-label={t('Remove the passkey {name}', { name })} onClick={() => remove(id)}>
        {t('Remove')}
      </button>
    ),
  },
];

function PasskeyName({ passkey: { id, name } }: { readonly passkey: PasskeyView }) {
  const [draft, setDraft] = useState<string>();
  const rename = useRenamePasskey();
  if (draft === undefined) {
    return (
      <span className="row-name">
        {name}{' '}
        <button type="button" className="plain-button" aria-label={t('Rename the passkey {name}', { name })} onClick={() => setDraft(name)}>
          {t('Rename')}
        </button>
      </span>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate({ id, name: draft }, { onSuccess: () => setDraft(undefined) });
  };
  return (
    <form onSubmit={submit}>
      <TextInput
        aria-label={t('Name of the passkey')}
        required
        maxLength={60}
        autoFocus
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={({ key }) => {
          if (key === 'Escape') setDraft(undefined);
        }}
      />
      <Button type="submit" variant="default" loading={rename.isPending}>
        {t('Keep')}
      </Button>
      {rename.isError ? <RefusedNotice error={rename.error} /> : null}
    </form>
  );
}

function NewPasskey({ factors: { passkeys_at: at, passkeys_fault: fault }, onCodes }: Shown & { readonly factors: FactorsView }) {
  const [name, setName] = useState('');
  const add = useAddPasskey();
  if (fault !== null) return <p className="soft">{t('Not possible here: {fault}.', { fault })}</p>;
  if (at !== null && at !== window.location.origin) {
    return (
      <p className="soft">
        {rich('Passkeys are tied to {address}; open this page there. The setting {setting} decides it.', {
          address: <a href={`${at}${window.location.pathname}`}>{at}</a>,
          setting: <code>server.base_url</code>,
        })}
      </p>
    );
  }
  if (!hasPasskeys()) return <p className="soft">{t('This browser has no passkeys, or is too old for them.')}</p>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(name, {
      onSuccess: ({ recovery_codes: codes }) => {
        setName('');
        onCodes(codes);
      },
    });
  };
  return (
    <>
      <form onSubmit={submit}>
        <TextInput
          label={t('Name of the new passkey')}
          placeholder={t('this laptop')}
          required
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          w={240}
        />
        <Button type="submit" variant="default" loading={add.isPending}>
          {t('Add a passkey')}
        </Button>
      </form>
      {add.isError ? <RefusedNotice error={add.error} /> : null}
    </>
  );
}

function Recovery({ recovery, onCodes }: Shown & { readonly recovery: NonNullable<FactorsView['recovery']> }) {
  const make = useMakeRecoveryCodes();
  const few = recovery.left <= 3;
  return (
    <Section title={t('Recovery codes')} aside={t('{count} of 10 left', { count: recovery.left })}>
      <p className={few ? '' : 'soft'}>
        {few ? <strong>{`${t('Few are left: make new ones.')} `}</strong> : null}
        {t('Each signs in once in the place of the app or the passkey. New codes end the old ones.')}
      </p>
      <div>
        <Button
          variant="default"
          loading={make.isPending}
          onClick={() => make.mutate(undefined, { onSuccess: (made) => onCodes(made.recovery_codes) })}
        >
          {t('Make new recovery codes')}
        </Button>
      </div>
      {make.isError ? <RefusedNotice error={make.error} /> : null}
    </Section>
  );
}
