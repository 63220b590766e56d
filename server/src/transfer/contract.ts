/**
 * Transfer brings samples in bulk from elsewhere into the store, as old as retention allows, beside the live ones: OpenMetrics
 * text, VictoriaMetrics' lines, remote-write frames. A body may be as long as it likes: it is read as it comes and never held.
 * What is good is kept, what is not is counted and named; the same body again changes nothing. Never wakes a rule.
 */
import { z } from 'zod';

export const IMPORT_FORMATS = ['openmetrics', 'vmjson', 'remote-write'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** The longest line of a text that is read; a longer one is left out and named. A year of minutes fits a line of VictoriaMetrics. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** The longest frame of remote write, compressed and decoded. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;
/** Imports at a time; each gathers up to 32 MB. Further ones are asked to come back. */
export const MAX_IMPORTS = 2;
/** Bad lines named in an answer; the others are counted. */
export const MAX_LISTED_LINES = 100;

const lineFault = z.object({ line: z.int(), reason: z.string() });
const refusedSample = z.object({ series: z.string(), at_ms: z.number(), reason: z.string(), detail: z.string() });

/** `samples` = `stored` + `repeated` + `refused`. */
export const importReport = z.object({
  format: z.enum(IMPORT_FORMATS),
  /** Lines of a text, frames of remote write. */
  lines: z.int(),
  samples: z.int(),
  stored: z.int(),
  /** Were there already, with the same value. */
  repeated: z.int(),
  refused: z.int(),
  refused_by: z.record(z.string(), z.int()),
  refused_listed: z.array(refusedSample),
  bad_lines: z.int(),
  bad_lines_listed: z.array(lineFault),
  /** Read and not kept. */
  skipped: z.object({ exemplars: z.int(), histograms: z.int() }),
});
export type ImportReport = z.output<typeof importReport>;
