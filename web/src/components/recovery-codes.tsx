import { Button } from '@mantine/core';
import { saveFile } from './save-file.ts';

type Props = { readonly codes: readonly string[]; readonly onDone: () => void };

/** Recovery codes, this once: copied, kept as a file, printed. */
export function RecoveryCodes({ codes, onDone }: Props) {
  const text = `Nines recovery codes for ${window.location.host}\nEach signs in once, in the place of the second factor.\n\n${codes.join('\n')}\n`;
  const keep = () => saveFile(new Blob([text], { type: 'text/plain' }), 'nines-recovery-codes.txt');
  return (
    <div className="panel panel-pad recovery-codes" role="status">
      <p>
        <strong>Keep these recovery codes now; they are not shown again.</strong> Each signs in once, when the app or the passkey is lost.
      </p>
      <ol className="mono" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="row-wrap">
        <Button variant="default" onClick={() => void navigator.clipboard.writeText(text)}>
          Copy
        </Button>
        <Button variant="default" onClick={keep}>
          Download
        </Button>
        <Button variant="default" onClick={() => window.print()}>
          Print
        </Button>
        <Button onClick={onDone}>I have kept them</Button>
      </div>
    </div>
  );
}
