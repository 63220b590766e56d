import { csvText } from '@nines/base/csv.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import { html, trusted } from '../../platform/html.ts';
import { pdfOf } from '../../platform/pdf.ts';
import type { Form } from '../statements/forms.ts';
import { escaped, listOf, markdownTable, section } from '../statements/markdown.ts';
import { COLOURS, INK, LINE, MARGIN, SMALL, Sheet, UNKNOWN, WIDTH } from '../statements/sheet.ts';
import { exclusionRows } from '../statements/rows.ts';
import { STATEMENT_STYLE } from '../statements/style.ts';
import { attainedWords, budgetWords, instant, percent, words } from '../statements/words.ts';
import type { ReportedContract, SignedReport } from './report.ts';

/** A report over several contracts in the forms that a statement has. */

export function reportIn(form: Form, report: SignedReport): Buffer {
  switch (form) {
    case 'json':
      return Buffer.from(canonicalJson(report as unknown as Json));
    case 'html':
      return Buffer.from(reportHtml(report));
    case 'csv':
      return Buffer.from(reportCsv(report));
    case 'pdf':
      return Buffer.from(reportPdf(report));
    case 'md':
      return Buffer.from(reportMarkdown(report));
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

function reportMarkdown(report: SignedReport): string {
  const lines = [
    `# ${escaped(report.title)}`,
    '',
    escaped(whenText(report)),
    '',
    escaped(summary(report)),
    '',
    ...section('Contracts', markdownTable(CONTRACT_HEAD, report.contracts.map(contractRow))),
    ...section('Services', markdownTable(SERVICE_HEAD, serviceRows(report))),
    ...section('Excluded time', markdownTable(EXCLUSION_HEAD, excludedRows(report))),
    ...section('Recommendations', listOf(adviceOf(report))),
    escaped(signedText(report)),
  ];
  return `${lines.join('\n')}\n`;
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

function reportHtml(report: SignedReport): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    html`<table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`;
  const bars = report.contracts.map((one) => {
    const { share, left, total } = budgetWords(one);
    return html`<p class="ends"><span>${one.name}</span><span>${left} of ${total}</span></p><svg class="bar" viewBox="0 0 ${BAR_UNITS} 8" preserveAspectRatio="none" role="img" aria-label="${one.name}: ${left} of ${total}"><rect class="track" width="${BAR_UNITS}" height="8" rx="4"/><rect class="fill-${one.status}" width="${Math.round(share * BAR_UNITS)}" height="8" rx="4"/></svg>`;
  });
  const [excluded, advice] = [excludedRows(report), adviceOf(report)];
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${report.title}</title><style>${trusted(STATEMENT_STYLE)}</style></head>
<body>
<header><div><h1>${report.title}</h1><p class="sub">${whenText(report)}</p></div></header>
<p>${summary(report)}</p>
<h2>Budget spent</h2>${bars}
<h2>Contracts</h2>${table(CONTRACT_HEAD, report.contracts.map(contractRow))}
<h2>Services</h2>${table(SERVICE_HEAD, serviceRows(report))}
${excluded.length === 0 ? null : html`<h2>Excluded time</h2>${table(EXCLUSION_HEAD, excluded)}`}
${advice.length === 0 ? null : html`<h2>Recommendations</h2><ul>${advice.map((text) => html`<li>${text}</li>`)}</ul>`}
<footer>${signedText(report)} <code>${report.signature.value}</code></footer>
</body></html>`.markup;
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
