import { type Html, html } from '../platform/html.ts';
import { type StatusPageSpec, pagePath, statusPageSchema } from './contract.ts';
import { type ShownState, STATE_WORDS } from './evaluate.ts';
import { stateMark } from './marks.ts';
import { type PageFrame, layout } from './page.ts';
import type { StandingPage } from './pages.ts';
import { policyOf, styleOf } from './style.ts';

/** A small page of its own, with the policy that its browser is given. */
export type SmallPage = { readonly status: number; readonly text: string; readonly policy: string };

/** What belongs to no page, or to one that must not show itself. */
const NEUTRAL = statusPageSchema.parse({ id: 'status', title: 'Status', services: ['none'] });

const frameOf = (spec: StatusPageSpec, hasLogo: boolean): PageFrame => ({
  spec,
  style: styleOf(spec),
  path: pagePath(spec),
  hasLogo,
});

function small(frame: PageFrame, status: number, { title, body }: { readonly title: string; readonly body: Html }): SmallPage {
  const content = html`<h2>${title}</h2>${body}`;
  const text = layout(frame, { title: `${title} · ${frame.spec.title}`, body: content, foot: null, feeds: false });
  return { status, text, policy: policyOf(frame.style) };
}

/** The same for a page that is not there and for one that the visitor may not see. `id` is what they asked for. */
export function nothingHere(id: string): SmallPage {
  const body = html`<p>There is no page under this address, or it is not open to everyone.</p>${isSlug(id) ? html`<p><a href="${pagePath({ id })}/sign-in">Enter a password</a></p>` : null}`;
  return small(frameOf(NEUTRAL, false), 404, { title: 'Nothing to see here', body });
}

const isSlug = (text: string): boolean => statusPageSchema.shape.id.safeParse(text).success;

/** Asks for the password of a page, whether or not there is one. */
export function signInPage(id: string, refused: string | undefined, status: number): SmallPage {
  const alert = refused === undefined ? null : html`<p class="stale" role="alert">${refused}</p>`;
  const body = html`${alert}<form method="post" action="/status/${encodeURIComponent(id)}/sign-in"><label>Password<input type="password" name="password" required autocomplete="current-password" maxlength="200"></label><button>Open the page</button></form>`;
  return small(frameOf(NEUTRAL, false), status, { title: 'This page asks for a password', body });
}

/** The public pages of an installation. */
export function indexPage(
  pages: readonly { readonly id: string; readonly title: string; readonly description: string; readonly state: ShownState | null }[],
): SmallPage {
  const body =
    pages.length === 0
      ? html`<p>No status page is open to everyone. One is declared under <code>status_pages</code> in the configuration file, or made in the application.</p>`
      : html`<div class="group">${pages.map((page) => html`<article class="service"><div class="head"><h3><a href="${pagePath(page)}">${page.title}</a></h3>${page.state === null ? null : stateMark(page.state, STATE_WORDS[page.state])}</div>${page.description === '' ? null : html`<p class="lead">${page.description}</p>`}</article>`)}</div>`;
  return small(frameOf(NEUTRAL, false), 200, { title: pages.length === 0 ? 'No public status page' : 'Status pages', body });
}

/** A sentence to somebody who sent a form of a page or followed a link. */
export function notePage(
  { spec, logo }: StandingPage,
  status: number,
  note: { readonly title: string; readonly text: string; readonly more?: Html },
): SmallPage {
  const body = html`<p>${note.text}</p>${note.more ?? null}<p><a href="${pagePath(spec)}">Back to ${spec.title}</a></p>`;
  return small(frameOf(spec, logo !== undefined), status, { title: note.title, body });
}
