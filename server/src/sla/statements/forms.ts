import { statementCsv } from './csv.ts';
import { statementHtml } from './html.ts';
import { statementMarkdown } from './markdown.ts';
import { statementPdf } from './pdf.ts';
import type { Rendered } from './service.ts';

/** The forms in which a statement or a report is given. */
export const FORMS = ['json', 'html', 'csv', 'pdf', 'md'] as const;
export type Form = (typeof FORMS)[number];

/** With the character set where it is text. */
export const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  json: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  pdf: 'application/pdf',
  md: 'text/markdown; charset=utf-8',
};

export function statementIn(form: Form, { statement, text }: Rendered, serviceName: string): Buffer {
  switch (form) {
    case 'json':
      return Buffer.from(text);
    case 'html':
      return Buffer.from(statementHtml(statement, serviceName));
    case 'csv':
      return Buffer.from(statementCsv(statement));
    case 'pdf':
      return Buffer.from(statementPdf(statement, serviceName));
    case 'md':
      return Buffer.from(statementMarkdown(statement, serviceName));
  }
}

/** A name for a file: nothing in it that a path or a header would take for something else. */
export const fileName = (name: string, form: Form): string => `${name.replace(/[^\w.-]+/g, '_')}.${form}`;
