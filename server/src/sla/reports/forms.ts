import { csvText } from '@nines/base/csv.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import { type Html, html, trusted } from '../../platform/html.ts';
import { pdfOf } from '../../platform/pdf.ts';
import type { Form } from '../statements/forms.ts';
import { escaped, listOf, markdownTable, section } from '../statements/markdown.ts';
import { COLOURS, INK, LINE, MARGIN, SMALL, Sheet, UNKNOWN, WIDTH } from '../statements/sheet.ts';
import { exclusionRows } from '../statements/rows.ts';
import { statementCsp } from '../statements/html.ts';
import { STATEMENT_STYLE } from '../statements/style.ts';
import { attainedWords, budgetWords, instant, percent, words } from '../statements/words.ts';
import type { ReportedContract, SignedReport } from './report.ts';
import { PLAIN, type ReportPart, type ReportSection, type ReportTemplate, filledIn, templateSentence } from './template.ts';

/** A report over several contracts in the forms that a statement has. */

/** A template lays out the page and the Markdown; the other forms have the figures as they are. */
export function reportIn(form: Form, report: SignedReport, template?: ReportTemplate): Buffer {
  switch (form) {
    case 'json':
      return Buffer.from(canonicalJson(report as unknown as Json));
    case 'html':
      return Buffer.from(reportHtml(report, template));
    case 'csv':
      return Buffer.from(reportCsv(report));
    case 'pdf':
      return Buffer.from(reportPdf(report));
    case 'md':
      return Buffer.from(reportMarkdown(report, template));
  }
}

/** The target, or the mean time to recovery that is promised instead. */
const promiseText = ({ target, objective }: ReportedContract): string =>
  target === 1 && objective.unit === 'seconds' ? `recovery within ${duration(objective.value * SECOND_MS)}` : percent(target);
const creditText = ({ credit }: ReportedContract): string =>
  credit === null || (credit.amount === null && credit.below === null)
    ? ''
    : `${credit.amount ?? percent(credit.share)} ${credit.amount === null ? 'of the fee' : credit.currency}`;

const whenText = ({ period, calendar, customer }: SignedReport): string =>
  `${calendar.name === null ? '' : `${calendar.name}, `}${instant(period.from_at_ms)} to ${instant(period.to_at_ms)} · all times UTC${customer === null ? '' : ` · for ${customer.name}`}`;

/** What came of it in a sentence. */
export function summary({ totals, finality }: SignedReport): string {
  const counts = (['met', 'at_risk', 'breached', 'unknown'] as const).flatMap((status) =>
    totals[status] === 0 ? [] : [`${totals[status]} ${words(status)}`],
  );
  const owed =
    totals.credits.length === 0 ? '' : ` Owed in all: ${totals.credits.map(({ currency, amount }) => `${amount} ${currency}`).join(', ')}.`;
  const of = totals.contracts === 1 ? '1 contract' : `${totals.contracts} contracts`;
  return `Of ${of} ${counts.join(', ')}.${owed}${finality === 'provisional' ? ' Provisional: the period is not over.' : ''}`;
}

const CONTRACT_HEAD = ['Contract', 'Service', 'Status', 'Attained', 'Target', 'Budget', 'Credit'] as const;
const contractRow = (one: ReportedContract): readonly string[] => {
  const budget = budgetWords(one);
  return [
    one.name,
    one.service,
    words(one.status),
    attainedWords(one),
    promiseText(one),
    `${budget.left} of ${budget.total}`,
    creditText(one),
  ];
};
const SERVICE_HEAD = ['Service', 'Outages', 'Time down', 'Longest', 'Mean time to recovery'] as const;
const serviceRows = ({ services }: SignedReport): readonly (readonly string[])[] =>
  services.map((one) => [
    one.name,
    one.open === 0 ? String(one.outages) : `${one.outages}, ${one.open} open`,
    duration(one.down_ms),
    one.longest_ms === null ? '–' : duration(one.longest_ms),
    one.mttr_ms === null ? '–' : duration(one.mttr_ms),
  ]);
const EXCLUSION_HEAD = ['Contract', 'From', 'Length', 'Reason', 'By'] as const;
const excludedRows = ({ contracts }: SignedReport): readonly (readonly string[])[] =>
  contracts.flatMap((contract) => exclusionRows(contract).map((row) => [contract.name, ...row]));
const adviceOf = ({ contracts }: SignedReport): readonly string[] =>
  contracts.flatMap(({ name, recommendations }) => recommendations.map(({ text }) => `${name}: ${text}`));
const signedText = (report: SignedReport): string =>
  `Each line follows from a signed statement, which the JSON form names by its digest. This report is signed (Ed25519) by the key ${report.signature.key_id}; check it with: nines sla verify FILE --url SERVER`;

/** What a page says at its end: the template's own words, which template it was, and how the figures are checked. */
const closingOf = (report: SignedReport, template: ReportTemplate | undefined): readonly string[] => [
  ...(template === undefined || template.closing === '' ? [] : paragraphs(filledIn(template.closing, report))),
  ...(template === undefined ? [] : [templateSentence(template)]),
  signedText(report),
];
const paragraphs = (text: string): readonly string[] => text.split(/\n{2,}/).filter((part) => part.trim() !== '');
const titleOf = (report: SignedReport, template: ReportTemplate | undefined): string =>
  template === undefined || template.title === null ? report.title : filledIn(template.title, report);

function reportMarkdown(report: SignedReport, template?: ReportTemplate): string {
  const lines = [
    `# ${escaped(titleOf(report, template))}`,
    '',
    escaped(whenText(report)),
    '',
    escaped(summary(report)),
    '',
    ...(template ?? PLAIN).sections.flatMap((one) => templateLines(report, one)),
    ...closingOf(report, template).flatMap((text, i) => (i === 0 ? [escaped(text)] : ['', escaped(text)])),
  ];
  return `${lines.join('\n')}\n`;
}

function templateLines(report: SignedReport, one: ReportSection): readonly string[] {
  const title = filledIn(one.title, report);
  const lines =
    one.kind === 'text' ? paragraphs(filledIn(one.text, report)).flatMap((text) => [escaped(text), '']) : markdownPart(report, one.part);
  return title === '' ? lines : section(escaped(title), lines);
}

function markdownPart(report: SignedReport, part: ReportPart): readonly string[] {
  switch (part) {
    case 'budget':
      // The bars of the page; the table of contracts has the same in words.
      return [];
    case 'contracts':
      return markdownTable(CONTRACT_HEAD, report.contracts.map(contractRow));
    case 'services':
      return markdownTable(SERVICE_HEAD, serviceRows(report));
    case 'excluded':
      return markdownTable(EXCLUSION_HEAD, excludedRows(report));
    case 'recommendations':
      return listOf(adviceOf(report));
  }
}

function reportCsv({ contracts }: SignedReport): string {
  const head = [
    'id',
    'name',
    'service',
    'status',
    'attained',
    'target',
    'budget_unit',
    'budget_total',
    'budget_spent',
    'excluded_ms',
    'violations',
    'credit',
    'currency',
    'statement_sha256',
  ];
  const rows = contracts.map((one) => {
    const [total, spent] = one.budget.unit === 'events' ? [one.budget.total, one.budget.spent] : [one.budget.total_ms, one.budget.spent_ms];
    const { id, name, service, status, attained, target, credit } = one;
    return [
      id,
      name,
      service,
      status,
      attained === null ? '' : String(attained),
      String(target),
      one.budget.unit,
      String(total),
      String(spent),
      String(one.buckets.excluded_ms),
      String(one.violations),
      credit?.amount ?? '',
      credit?.currency ?? '',
      one.statement.sha256,
    ];
  });
  return csvText([head, ...rows]);
}

const BAR_UNITS = 1_000;

const htmlTable = (head: readonly string[], rows: readonly (readonly string[])[]): Html =>
  html`<table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`;

/** Only what its template is allowed to say: a colour that was checked. */
const accentStyle = (accent: string): string =>
  `header{border-top:4px solid ${accent};padding-top:16px}h2{border-bottom:2px solid ${accent}}`;
const LOGO_STYLE = 'header img{max-height:56px;max-width:240px}';
const stylesOf = (template: ReportTemplate | undefined): readonly string[] => [
  STATEMENT_STYLE,
  ...(template === undefined || template.accent === null ? [] : [accentStyle(template.accent)]),
  ...(template === undefined || template.logo === null ? [] : [LOGO_STYLE]),
];

/** What a browser may do with the page: show it, with its own styles and its logo. */
export const reportCsp = (template: ReportTemplate | undefined): string =>
  statementCsp(stylesOf(template), (template?.logo ?? null) !== null);

function reportHtml(report: SignedReport, template?: ReportTemplate): string {
  const title = titleOf(report, template);
  const logo = template?.logo ?? null;
  const styles = stylesOf(template).map((style) => html`<style>${trusted(style)}</style>`);
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>${styles}</head>
<body>
<header><div><h1>${title}</h1><p class="sub">${whenText(report)}</p></div>${logo === null ? null : html`<img src="${logo}" alt="">`}</header>
<p>${summary(report)}</p>
${(template ?? PLAIN).sections.map((section) => htmlSection(report, section))}
<footer>${closingOf(report, template).map((text) => html`<p>${text}</p>`)}<code>${report.signature.value}</code></footer>
</body></html>`.markup;
}

function htmlSection(report: SignedReport, section: ReportSection): Html | null {
  const title = filledIn(section.title, report);
  const body =
    section.kind === 'text'
      ? html`${paragraphs(filledIn(section.text, report)).map((text) => html`<p>${text}</p>`)}`
      : htmlPart(report, section.part);
  return body === null ? null : html`${title === '' ? null : html`<h2>${title}</h2>`}${body}`;
}

function htmlPart(report: SignedReport, part: ReportPart): Html | null {
  switch (part) {
    case 'budget':
      return html`${report.contracts.map(budgetBar)}`;
    case 'contracts':
      return htmlTable(CONTRACT_HEAD, report.contracts.map(contractRow));
    case 'services':
      return htmlTable(SERVICE_HEAD, serviceRows(report));
    case 'excluded': {
      const excluded = excludedRows(report);
      return excluded.length === 0 ? null : htmlTable(EXCLUSION_HEAD, excluded);
    }
    case 'recommendations': {
      const advice = adviceOf(report);
      return advice.length === 0 ? null : html`<ul>${advice.map((text) => html`<li>${text}</li>`)}</ul>`;
    }
  }
}

function budgetBar(one: ReportedContract): Html {
  const { share, left, total } = budgetWords(one);
  return html`<p class="ends"><span>${one.name}</span><span>${left} of ${total}</span></p><svg class="bar" viewBox="0 0 ${BAR_UNITS} 8" preserveAspectRatio="none" role="img" aria-label="${one.name}: ${left} of ${total}"><rect class="track" width="${BAR_UNITS}" height="8" rx="4"/><rect class="fill-${one.status}" width="${Math.round(share * BAR_UNITS)}" height="8" rx="4"/></svg>`;
}

function reportPdf(report: SignedReport): Uint8Array {
  const sheet = new Sheet();
  sheet.line(report.title, { size: 18, colour: INK, bold: true });
  sheet.paragraph(whenText(report), SMALL);
  sheet.paragraph(summary(report));
  sheet.heading('Budget spent');
  for (const one of report.contracts) {
    const { share, left, total } = budgetWords(one);
    sheet.paragraph(`${one.name}: ${left} of ${total}`, SMALL);
    const y = sheet.take(12);
    sheet.page.rectangle({ x: MARGIN, y: y + 2, width: WIDTH, height: 6 }, LINE);
    sheet.page.rectangle({ x: MARGIN, y: y + 2, width: WIDTH * share, height: 6 }, COLOURS[one.status] ?? UNKNOWN);
  }
  sheet.heading('Contracts');
  sheet.table(CONTRACT_HEAD, report.contracts.map(contractRow), { widths: [0.2, 0.13, 0.1, 0.13, 0.1, 0.22, 0.12] });
  sheet.heading('Services');
  sheet.table(SERVICE_HEAD, serviceRows(report), { widths: [0.28, 0.15, 0.19, 0.19, 0.19] });
  const excluded = excludedRows(report);
  if (excluded.length > 0) {
    sheet.heading('Excluded time');
    sheet.table(EXCLUSION_HEAD, excluded, { widths: [0.18, 0.2, 0.14, 0.2, 0.28] });
  }
  const advice = adviceOf(report);
  if (advice.length > 0) sheet.heading('Recommendations');
  for (const text of advice) sheet.paragraph(text);
  sheet.heading('Signature');
  sheet.paragraph(signedText(report), SMALL);
  sheet.paragraph(report.signature.value, SMALL);
  return pdfOf(sheet.finished(`${report.title} · ${whenText(report)} · key ${report.signature.key_id}`), report.title);
}
