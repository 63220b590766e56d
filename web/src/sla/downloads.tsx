import { Button } from '@mantine/core';
import { type QueryFields, withQuery } from '../api/client.ts';

type Props = {
  readonly path: string;
  readonly fields: QueryFields;
  /** As links in a row rather than as buttons. */
  readonly compact?: boolean;
};

const FORMS = [
  { format: 'html', word: 'HTML' },
  { format: 'pdf', word: 'PDF' },
  { format: 'csv', word: 'CSV' },
  { format: 'json', word: 'JSON' },
  { format: 'md', word: 'Markdown' },
] as const;

/** One statement in each of its forms. The printed page opens, the others are saved. */
export function Downloads({ path, fields, compact = false }: Props) {
  const hrefOf = (format: string) => withQuery(path, { ...fields, format });
  return (
    <span className={compact ? 'row-wrap row-one no-print' : 'row-wrap no-print'}>
      {FORMS.map(({ format, word }) => {
        const how = format === 'html' ? { target: '_blank', rel: 'noreferrer' } : { download: '' };
        return compact ? (
          <a key={format} href={hrefOf(format)} {...how}>
            {word}
          </a>
        ) : (
          <Button key={format} component="a" variant="default" href={hrefOf(format)} {...how}>
            {word}
          </Button>
        );
      })}
    </span>
  );
}
