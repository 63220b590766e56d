import { useState } from 'react';
import { rich, t } from '../language/t.ts';

const KEY = 'nines-recovery-codes-left';

/** A recovery code was used to sign in: the next page says so. */
export const noteRecoveryCode = (left: number): void => sessionStorage.setItem(KEY, String(left));

/** Once, on the page after a sign-in with a recovery code. */
export function RecoveryNotice() {
  const [left, setLeft] = useState(() => sessionStorage.getItem(KEY));
  if (left === null) return null;
  const close = () => {
    sessionStorage.removeItem(KEY);
    setLeft(null);
  };
  return (
    <div className="notice recovery-notice" role="status">
      <p>
        <strong>
          {t('You signed in with a recovery code; {left, plural, =0 {none is} one {one is} other {# are}} left.', { left: Number(left) })}
        </strong>
      </p>
      <p className="soft">
        {rich('If it was not you, change your password now. If the app or the passkey is lost, <a>remove it and set up another</a>.', {
          a: (inner) => <a href="/settings/account">{inner}</a>,
        })}
      </p>
      <button type="button" className="plain-button" onClick={close}>
        {t('Close')}
      </button>
    </div>
  );
}
