import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import { bucketRows, exclusionRows, outageRows, violationRows } from './rows.ts';
import type { SignedStatement } from './statement.ts';
import {
  attainedWords,
  budgetWords,
  creditSentence,
  grouped,
  instant,
  percent,
  promiseWords,
  revisionSentences,
  sentence,
  trendShares,
  words,
} from './words.ts';

/** The statement as Markdown (CommonMark with tables), for wikis and tickets. What people wrote is text there, never markup. */

/** Rows of one table; all of them are in the JSON form. */
const MAX_ROWS = 500;

export const escaped = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>()#+!|~&-]/g, '\\$&');

/** A table; no lines when there are no rows. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  const more = rows.length > MAX_ROWS ? ['', `${rows.length - MAX_ROWS} more are in the JSON form.`] : [];
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.slice(0, MAX_ROWS).map(line), ...more, ''];
}

/** A section with its heading; no lines when it would hold none. */
export const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`## ${title}`, '', ...lines];

export function statementMarkdown(statement: SignedStatement, serviceName: string): string {
  const { period, calendar, customer, attained, contract, signature } = statement;
  const budget = budgetWords(statement);
  const when = `${calendar.name === null ? '' : `${calendar.name}, `}${instant(period.from_at_ms)} to ${instant(period.to_at_ms)}, all times UTC`;
  const lengthMs = (statement.known_until_at_ms ?? period.to_at_ms) - period.from_at_ms;
  const lines = [
    `# ${escaped(statement.name)}`,
    '',
    escaped(`${serviceName}, ${when}${customer === null ? '' : `, for ${customer.name}`}`),
    '',
    `**${words(statement.status)}${statement.finality === 'provisional' ? ', provisional' : ''}**: ${attained === null && recoveryFigures(statement) === undefined ? 'nothing was measured' : attainedWords(statement)}, ${promiseWords(contract.terms)}`,
    '',
    escaped(`Budget: ${budget.spent} of ${budget.total}, ${budget.left}. ${sentence(statement)}`),
    '',
    ...revisionSentences(statement).flatMap((text) => [escaped(text), '']),
    ...(statement.credit === null ? [] : [escaped(`Credit: ${creditSentence(statement.credit)}`), '']),
    ...section('Recommendations', listOf(statement.recommendations.map(({ text }) => text))),
    ...section(
      'Where the time went',
      markdownTable(
        ['State', 'Time', 'Milliseconds', 'Share'],
        bucketRows(statement).map(([name, ms]) => [name, duration(ms), grouped(ms), percent(ms / lengthMs)]),
      ),
    ),
    ...section(
      'Budget spent, period by period',
      statement.trend.length === 0
        ? []
        : markdownTable(
            ['Period', 'Status', 'Spent'],
            trendShares(statement).map(({ name, status, share }) => [name, words(status), percent(share)]),
          ),
    ),
    ...section('Outages', markdownTable(['From', 'Length', 'Reason', 'Evidence'], outageRows(statement))),
    ...section('Excluded time', markdownTable(['From', 'Length', 'Reason', 'By'], exclusionRows(statement))),
    ...section('Violations', markdownTable(['Opened', 'Closed', 'Severity', 'Reason'], violationRows(statement))),
    ...section('Contract and signature', [
      escaped(
        `Version ${contract.version} of the contract ${contract.terms.id}, in force since ${instant(contract.effective_from_at_ms)}.`,
      ),
      '',
      escaped(`The JSON form is signed (Ed25519) by the key ${signature.key_id}; check it with: nines sla verify FILE --url SERVER`),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** A list; no lines when there are no texts. */
export const listOf = (texts: readonly string[]): readonly string[] =>
  texts.length === 0 ? [] : [...texts.map((text) => `- ${escaped(text)}`), ''];
