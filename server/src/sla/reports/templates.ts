import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../../platform/db/schema.ts';
import { createTurns } from '../../platform/turns.ts';
import { deleteTemplate, saveTemplate, savedTemplates } from './template-store.ts';
import { type ReportTemplate, templateDigest } from './template.ts';

export type TemplateDeps = { readonly db: Kysely<Database>; readonly clock: Pick<Clock, 'now'> };
export type TemplateView = ReportTemplate & { readonly sha256: string; readonly origin: 'file' | 'ui' };

export const TEMPLATE_CODES = { notFound: 'report_template_not_found', ownedByFile: 'report_template_owned_by_file' } as const;

/** The templates of reports: those of the configuration file, and those made through the API. */
export class ReportTemplates {
  readonly #deps: TemplateDeps;
  readonly #alone = createTurns();
  #declared: ReadonlyMap<string, ReportTemplate> = new Map();
  #saved: ReadonlyMap<string, ReportTemplate> = new Map();

  constructor(deps: TemplateDeps) {
    this.#deps = deps;
  }

  /** To be called once, before anything else. */
  async load(): Promise<void> {
    this.#saved = byId(await savedTemplates(this.#deps.db));
  }

  /** Makes the file's templates the whole set of file-owned ones. An id that the file declares is the file's. */
  declare(templates: readonly ReportTemplate[]): void {
    this.#declared = byId(templates);
  }

  list(): readonly TemplateView[] {
    return [...new Map([...this.#saved, ...this.#declared]).values()]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((template) => this.#viewOf(template));
  }

  /** `AppError` `report_template_not_found`. */
  get(id: string): ReportTemplate {
    const found = this.#declared.get(id) ?? this.#saved.get(id);
    if (found === undefined)
      throw new AppError('not_found', TEMPLATE_CODES.notFound, `there is no report template "${id}"`, { field: 'template' });
    return found;
  }

  /** Makes a template or replaces it. `AppError` `report_template_owned_by_file`. */
  save(template: ReportTemplate, by: string): Promise<TemplateView> {
    return this.#alone(async () => {
      this.#expectEditable(template.id);
      await saveTemplate(this.#deps.db, template, { by, atMs: this.#deps.clock.now() });
      this.#saved = new Map([...this.#saved, [template.id, template]]);
      return this.#viewOf(template);
    });
  }

  /** `AppError` `report_template_not_found`, `report_template_owned_by_file`. */
  remove(id: string): Promise<void> {
    return this.#alone(async () => {
      this.get(id);
      this.#expectEditable(id);
      await deleteTemplate(this.#deps.db, id);
      this.#saved = new Map([...this.#saved].filter(([each]) => each !== id));
    });
  }

  #expectEditable(id: string): void {
    if (!this.#declared.has(id)) return;
    throw new AppError(
      'conflict',
      TEMPLATE_CODES.ownedByFile,
      `the report template "${id}" is declared in the configuration file and is changed there`,
    );
  }

  #viewOf(template: ReportTemplate): TemplateView {
    return { ...template, sha256: templateDigest(template), origin: this.#declared.has(template.id) ? 'file' : 'ui' };
  }
}

const byId = (templates: readonly ReportTemplate[]): ReadonlyMap<string, ReportTemplate> => new Map(templates.map((one) => [one.id, one]));
