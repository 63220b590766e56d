import { Button, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useCreateService } from '../api/actions.ts';
import { t } from '../language/t.ts';
import { pastedServices } from './pasted.ts';

/** Makes a service of every pasted address, and says which were refused and why; once all is there it goes when it has told that. */
export function PasteServices({ done }: { readonly done: boolean }) {
  const [text, setText] = useState('');
  const [told, setTold] = useState<readonly string[]>([]);
  const create = useCreateService();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const { services, refused } = pastedServices(text);
    const failed: string[] = refused.map((line) => t('{line}: this is no address', { line }));
    for (const service of services) {
      await create.mutateAsync(service).catch((error: unknown) => {
        failed.push(`${service.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
    setTold(failed);
    if (failed.length === 0) setText('');
  };
  if (done && told.length === 0 && !create.isPending) return null;
  return (
    <form className="checklist-body" onSubmit={(event) => void submit(event)}>
      <Textarea
        aria-label={t('Addresses, one a line')}
        placeholder={'https://shop.example.org\nMail mail.example.org:25'}
        autosize={false}
        rows={3}
        required
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div>
        <Button type="submit" size="xs" variant="default" loading={create.isPending}>
          {t('Watch these')}
        </Button>
      </div>
      {told.length === 0 ? null : (
        <div className="notice" role="alert">
          {told.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </div>
      )}
    </form>
  );
}
