import { createHash } from 'node:crypto';
import type { AlertView } from '../alerting/contract.ts';
import { html, trusted } from '../platform/html.ts';
import { cut, visible } from './brief.ts';
import { rfc3339 } from './message.ts';

export type AnswerPage = { readonly status: number; readonly text: string };

const STYLE = `
:root{color-scheme:light dark;--ground:#f6f7f9;--surface:#fff;--line:#e4e7ed;--ink:#151922;--faint:#626b7d;--accent:#4450c4;--on:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#0e1116;--surface:#151920;--line:#242a35;--ink:#e9ecf2;--faint:#8f98a9;--accent:#a3acff;--on:#0e1116}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/24px Inter,system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
main{max-width:560px;margin:10vh auto;padding:24px;background:var(--surface);border:1px solid var(--line);border-radius:8px}
h1{font-size:22px;line-height:28px;margin:0 0 8px}p{margin:8px 0}.faint{color:var(--faint)}
button{font:inherit;font-weight:600;min-height:44px;padding:0 24px;border:0;border-radius:6px;background:var(--accent);color:var(--on);cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}`;

/** No script, no picture, no frame around it: only its own style and its own form. */
export const ANSWER_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

function page(status: number, title: string, body: unknown): AnswerPage {
  const text = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${title} · Nines</title><style>${trusted(STYLE)}</style></head><body><main><h1>${title}</h1>${body as ReturnType<typeof html>}</main></body></html>`;
  return { status, text: text.markup };
}

const MAX_CHARS = 500;
const about = ({ alertname, annotations, starts_at_ms: atMs, severity }: AlertView) =>
  html`<p><strong>${cut(visible(alertname), MAX_CHARS)}</strong> (${severity})</p><p>${cut(visible(annotations['summary'] ?? annotations['description'] ?? ''), MAX_CHARS)}</p><p class="faint">since ${rfc3339(atMs)}</p>`;

/** Asks before anything happens, because programs follow links in messages too. The form goes to the page's own address. */
export const questionPage = (alert: AlertView): AnswerPage =>
  alert.condition === 'resolved' || alert.acknowledged_at_ms !== null
    ? donePage(alert)
    : page(
        200,
        'Acknowledge this alert?',
        html`${about(alert)}<form method="post"><button>Acknowledge</button></form><p class="faint">Nobody is paged about it again until it is resolved.</p>`,
      );

export const donePage = (alert: AlertView): AnswerPage =>
  alert.condition === 'resolved'
    ? page(200, 'This alert is over', about(alert))
    : page(200, `Acknowledged by ${cut(visible(alert.acknowledged_by ?? ''), 100)}`, about(alert));

export const refusalPage = (status: number, reason: string): AnswerPage => page(status, 'This did not work', html`<p>${reason}.</p>`);
