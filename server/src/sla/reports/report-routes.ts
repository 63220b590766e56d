import { AppError } from '@nines/base/errors.ts';
import { parsePeriod } from '@nines/maths/calendar/period.ts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { instant } from '../../platform/http/fields.ts';
import { SLA_CODES } from '../contract.ts';
import { FORMS, type Form, MEDIA_TYPES, fileName } from '../statements/forms.ts';
import { reportCsp, reportIn } from './forms.ts';
import type { SignedReport } from './report.ts';
import { type ReportTemplate, reportTemplateConfig } from './template.ts';
import type { ReportTemplates } from './templates.ts';
import { type ReportQuestion, type Reports, toArchivedView } from './service.ts';

const some = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((found) => [found].flat());
const question = z.object({
  /** Contracts; without any all of the services and the customer. */
  sla: some,
  service: some,
  customer: z.string().max(64).optional(),
  title: z.string().min(1).max(200).optional(),
  from: instant.optional(),
  to: instant.optional(),
  /** Instead of `from` and `to`: `2026-11`, `2026-W47`, `2026-Q4`, … */
  period: z.string().max(16).optional(),
  /** IANA. */
  zone: z.string().max(64).default('UTC'),
});
const layout = { format: z.enum(FORMS).default('json'), template: z.string().max(64).optional() };

/** Reports over several contracts: of a customer, of services, over a period; the archive of those that were issued. */
export function combinedReportRoutes(
  http: Http,
  { reports, templates }: { readonly reports: Reports; readonly templates: ReportTemplates },
): void {
  const templateOf = (id: string | undefined) => (id === undefined ? undefined : templates.get(id));
  const read = { config: { permission: 'read' as const } };
  http.get(
    '/api/reports/contracts',
    {
      config: { ...read.config, scoped: { names: { query: { sla: 'sla', service: 'service' } }, needs: ['sla', 'service'] } },
      schema: {
        summary: 'The signed report of a period over several contracts: JSON, HTML, PDF, CSV or Markdown',
        tags: ['slas'],
        querystring: question.extend(layout),
      },
    },
    async (request, reply) => {
      const { format: form, template: id, ...asked } = request.query;
      const template = templateOf(id);
      return send(reply, await reports.make(questionOf(asked)), { form, template });
    },
  );
  http.get('/api/reports', { ...read, schema: { summary: 'Reports that were issued, newest first', tags: ['slas'] } }, async () => ({
    items: await reports.list(),
  }));
  http.get(
    '/api/reports/:id',
    {
      ...read,
      schema: {
        summary: 'A report of the archive, as it was issued',
        tags: ['slas'],
        params: z.object({ id: z.string() }),
        querystring: z.object(layout),
      },
    },
    async (request, reply) => {
      const template = templateOf(request.query.template);
      return send(reply, await reports.find(request.params.id), { form: request.query.format, template });
    },
  );
  http.post(
    '/api/report-templates/preview',
    {
      ...read,
      schema: {
        summary: 'The report of a period as a template that is not saved would lay it out: HTML or Markdown',
        tags: ['slas'],
        body: question.extend({ template: reportTemplateConfig, format: z.enum(['html', 'md']).default('html') }),
      },
    },
    async (request, reply) => {
      const { template, format: form, ...asked } = request.body;
      return send(reply, await reports.make(questionOf(asked)), { form, template });
    },
  );
  http.post(
    '/api/reports',
    {
      config: { permission: 'operate' },
      schema: { summary: 'Issue the report of a period that is over into the archive', tags: ['slas'], body: question },
    },
    async (request, reply) =>
      reply.code(201).send(toArchivedView(await reports.issue(questionOf(request.body), { name: request.actor.name }))),
  );
}

function questionOf({ sla, service, customer, title, from, to, period, zone }: z.output<typeof question>): ReportQuestion {
  const about = { slas: sla, services: service, customer, title, zone };
  if (period !== undefined && from === undefined && to === undefined) {
    const parsed = parsePeriod(period, zone);
    if (!parsed.ok) throw badRange(parsed.error);
    return { ...about, period: { fromMs: parsed.value.fromMs, toMs: parsed.value.toMs } };
  }
  if (period !== undefined || from === undefined || to === undefined) throw badRange('write either `period`, or `from` and `to`');
  return { ...about, period: { fromMs: from, toMs: to } };
}

const badRange = (message: string): AppError => new AppError('bad_input', SLA_CODES.range, message);

type Layout = { readonly form: Form; readonly template: ReportTemplate | undefined };

function send(reply: FastifyReply, report: SignedReport, { form, template }: Layout) {
  if (form === 'html') reply.header('content-security-policy', reportCsp(template));
  else reply.header('content-disposition', `attachment; filename="${fileName(`${report.id}-${report.calendar.name ?? 'period'}`, form)}"`);
  return reply.type(MEDIA_TYPES[form]).send(reportIn(form, report, template));
}
