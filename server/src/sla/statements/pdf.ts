import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { pdfOf } from '../../platform/pdf.ts';
import { bucketRows, exclusionRows, inDrawingOrder, outageRows, violationRows } from './rows.ts';
import { BODY, COLOURS, FAINT, INK, LINE, MARGIN, SMALL, Sheet, UNKNOWN, WIDTH } from './sheet.ts';
import type { SignedStatement } from './statement.ts';
import {
  attainedWords,
  budgetWords,
  creditSentence,
  instant,
  percent,
  promiseWords,
  revisionSentences,
  sentence,
  trendShares,
  words,
} from './words.ts';

/** The statement on paper: A4, black on white, its charts drawn. The JSON form has every interval. */

export function statementPdf(statement: SignedStatement, serviceName: string): Uint8Array {
  const sheet = new Sheet();
  const { period, calendar } = statement;
  sheet.line(statement.name, { size: 18, colour: INK, bold: true });
  const when = `${calendar.name === null ? '' : `${calendar.name}, `}${instant(period.from_at_ms)} to ${instant(period.to_at_ms)}`;
  sheet.paragraph(
    `${serviceName} · ${when} · all times UTC${statement.customer === null ? '' : ` · for ${statement.customer.name}`}`,
    SMALL,
  );
  verdict(sheet, statement);
  strip(sheet, statement);
  trend(sheet, statement);
  tables(sheet, statement);
  closing(sheet, statement);
  return pdfOf(sheet.finished(`${statement.name} · ${when} · key ${statement.signature.key_id}`), `${statement.name}: statement`);
}

function verdict(sheet: Sheet, statement: SignedStatement): void {
  const { status } = statement;
  const budget = budgetWords(statement);
  sheet.take(10);
  sheet.line(attainedWords(statement), { size: 30, colour: INK, bold: true });
  const provisional = statement.finality === 'provisional' ? ', provisional' : '';
  sheet.line(`${words(status).toUpperCase()}${provisional} · ${promiseWords(statement.contract.terms)}`, {
    ...BODY,
    bold: true,
    colour: COLOURS[status] ?? FAINT,
  });
  const y = sheet.take(14);
  sheet.page.rectangle({ x: MARGIN, y: y + 4, width: WIDTH, height: 6 }, LINE);
  sheet.page.rectangle({ x: MARGIN, y: y + 4, width: WIDTH * budget.share, height: 6 }, COLOURS[status] ?? UNKNOWN);
  sheet.paragraph(`Budget: ${budget.spent} of ${budget.total}, ${budget.left}`, SMALL);
  sheet.paragraph(sentence(statement));
  for (const line of revisionSentences(statement)) sheet.paragraph(line);
  if (statement.credit !== null) sheet.paragraph(`Credit: ${creditSentence(statement.credit)}`);
}

function strip(sheet: Sheet, { timeline, period }: SignedStatement): void {
  sheet.heading('Time line');
  const y = sheet.take(30);
  const scale = WIDTH / (period.to_at_ms - period.from_at_ms);
  sheet.page.rectangle({ x: MARGIN, y, width: WIDTH, height: 24 }, LINE);
  // Bad states are never thinner than a line: an outage of a second in a month must be seen.
  for (const one of inDrawingOrder(timeline)) {
    const width = (one.to_at_ms - one.from_at_ms) * scale;
    const drawn = one.state === 'down' || one.state === 'degraded' ? Math.max(0.6, width) : width;
    sheet.page.rectangle(
      { x: MARGIN + (one.from_at_ms - period.from_at_ms) * scale, y, width: drawn, height: 24 },
      COLOURS[one.state] ?? UNKNOWN,
    );
  }
  sheet.line('green up, amber degraded, red down, grey unknown or still to come', SMALL);
}

/** Spent share of the budget in the periods before and in this one; the line is the whole budget. */
function trend(sheet: Sheet, statement: SignedStatement): void {
  if (statement.trend.length === 0) return;
  sheet.heading('Budget spent, period by period');
  const points = trendShares(statement);
  const [height, width] = [64, WIDTH / points.length];
  const y = sheet.take(height + 14);
  const top = Math.max(1, ...points.map(({ share }) => Math.min(share, 2)));
  points.forEach(({ name, status, share }, i) => {
    const bar = Math.max(0.6, (Math.min(share, top) / top) * height);
    const x = MARGIN + i * width;
    sheet.page.rectangle({ x: x + 4, y: y + height - bar, width: width - 8, height: bar }, COLOURS[status] ?? UNKNOWN);
    sheet.page.text(name, { x: x + 4, y: y + height + 10 }, { ...SMALL, size: 7 });
  });
  sheet.page.rectangle({ x: MARGIN, y: y + height - height / top, width: WIDTH, height: 0.7 }, INK);
}

function tables(sheet: Sheet, statement: SignedStatement): void {
  const { downtimes, exclusions, violations, period } = statement;
  sheet.heading('Where the time went');
  const lengthMs = (statement.known_until_at_ms ?? period.to_at_ms) - period.from_at_ms;
  const rows = bucketRows(statement).map(([name, ms]) => [name, duration(ms), String(ms), percent(ms / lengthMs)]);
  sheet.table(['State', 'Time', 'Milliseconds', 'Share'], rows, { widths: [0.4, 0.25, 0.2, 0.15], right: [1, 2, 3] });
  sheet.heading('Outages');
  if (downtimes.length === 0) sheet.paragraph('The service had no outage in this period.');
  else {
    sheet.table(['From', 'Length', 'Reason', 'Evidence'], outageRows(statement), { widths: [0.24, 0.16, 0.25, 0.35] });
  }
  if (exclusions.length > 0) {
    sheet.heading('Excluded time');
    sheet.table(['From', 'Length', 'Reason', 'By'], exclusionRows(statement), { widths: [0.24, 0.16, 0.25, 0.35] });
  }
  if (violations.length === 0) return;
  sheet.heading('Violations');
  sheet.table(['Opened', 'Closed', 'Severity', 'Reason'], violationRows(statement), { widths: [0.24, 0.24, 0.14, 0.38] });
}

function closing(sheet: Sheet, { recommendations, contract, signature, service }: SignedStatement): void {
  if (recommendations.length > 0) sheet.heading('Recommendations');
  for (const { text } of recommendations) sheet.paragraph(text);
  sheet.heading('Contract and signature');
  sheet.paragraph(
    `Version ${contract.version} of the contract ${contract.terms.id} about ${service}, in force since ${instant(contract.effective_from_at_ms)}.`,
  );
  sheet.paragraph(
    `Figures are truncated, never rounded up. The JSON form of this statement holds every interval with its evidence. It is signed (Ed25519) by the key ${signature.key_id}; check it with: nines sla verify FILE --url SERVER`,
    SMALL,
  );
  sheet.paragraph(`Signature: ${signature.value}`, SMALL);
}
