import { Button } from '@mantine/core';
import { t, rich } from '../language/t.ts';
import { saveFile } from './save-file.ts';

type Props = { readonly codes: readonly string[]; readonly onDone: () => void };

/** Recovery codes, this once: copied, kept as a file, printed. */
export function RecoveryCodes({ codes, onDone }: Props) {
  const head = t('Nines recovery codes for {host}', { host: window.location.host });
  const text = `${head}\n${t('Each signs in once, in the place of the second factor.')}\n\n${codes.join('\n')}\n`;
  const keep = () => saveFile(new Blob([text], { type: 'text/plain' }), 'nines-recovery-codes.txt');
  return (
    <div className="panel panel-pad recovery-codes" role="status">
      <p>
        {rich('<b>Keep these recovery codes now; they are not shown again.</b> Each signs in once, when the app or the passkey is lost.', {
          b: (inner) => <strong>{inner}</strong>,
        })}
      </p>
      <ol className="mono" aria-label={t('Recovery codes')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="row-wrap">
        <Button variant="default" onClick={() => void navigator.clipboard.writeText(text)}>
          {t('Copy')}
        </Button>
        <Button variant="default" onClick={keep}>
          {t('Download')}
        </Button>
        <Button variant="default" onClick={() => window.print()}>
          {t('Print')}
        </Button>
        <Button onClick={onDone}>{t('I have kept them')}</Button>
      </div>
    </div>
  );
}
