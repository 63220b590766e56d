import { type Html, html } from '../platform/html.ts';
import type { Mail } from '../notify/contract.ts';
import { type Announcement, type AnnouncementUpdate, type StatusPageSpec, announcementToWire } from './contract.ts';
import { ANNOUNCEMENT_WORDS, type PlannedWork } from './evaluate.ts';
import { timesIn } from './times.ts';

/** Something that the subscribers of a page are told. */
export type News = {
  /** The same for every receiver and every try. */
  readonly id: string;
  readonly spec: StatusPageSpec;
  /** The address of the page. */
  readonly url: string;
  /** Where more of it stands. */
  readonly link: string;
  /** `Investigating: Logins fail`. */
  readonly headline: string;
  readonly atMs: number;
  readonly text: string;
  /** What programs get beside the page and the words. */
  readonly wire: Readonly<Record<string, unknown>> & { readonly type: string };
};

type Of = { readonly spec: StatusPageSpec; readonly url: string };

export function announcementNews({ spec, url }: Of, announcement: Announcement, update: AnnouncementUpdate): News {
  const { id, title, state, services, began_at_ms, resolved_at_ms } = announcementToWire(announcement);
  const link = `${url}#announcement-${id}`;
  return {
    id: update.id,
    spec,
    url,
    link,
    headline: `${ANNOUNCEMENT_WORDS[update.state]}: ${title}`,
    atMs: update.atMs,
    text: update.text,
    wire: {
      type: 'announcement.updated',
      announcement: { id, title, state, services, began_at_ms, resolved_at_ms, url: link },
      update: { id: update.id, state: update.state, text: update.text, at_ms: update.atMs },
    },
  };
}

/** `names` are those of the services that the page shows. */
export function maintenanceNews({ spec, url }: Of, work: PlannedWork, names: readonly string[]): News {
  const times = timesIn(spec.zone);
  return {
    id: `${spec.id}.${work.window}.${work.announcedAtMs}`,
    spec,
    url,
    link: url,
    headline: `Maintenance: ${work.name}`,
    atMs: work.announcedAtMs,
    text: `${names.join(', ')}: from ${times.text(work.fromMs)} to ${times.text(work.toMs)} (${spec.zone}).`,
    wire: {
      type: 'maintenance.announced',
      maintenance: {
        id: work.window,
        name: work.name,
        services: work.services,
        from_at_ms: work.fromMs,
        to_at_ms: work.toMs,
        announced_at_ms: work.announcedAtMs,
      },
    },
  };
}

/** `text` is what chat services show of a message. */
export const newsJson = ({ spec, url, headline, text, wire }: News): Readonly<Record<string, unknown>> => ({
  ...wire,
  text: `${spec.title}: ${headline}\n${text}`,
  page: { id: spec.id, title: spec.title, url },
});

type Addressed = { readonly to: string; readonly key: string };

export function newsMail({ spec, link, headline, atMs, text }: News, { to, ending, key }: Addressed & { readonly ending: string }): Mail {
  const when = `${timesIn(spec.zone).text(atMs)} ${spec.zone}`;
  return {
    subject: `[${spec.title}] ${headline}`,
    text: `${headline}\n${when}\n\n${text}\n\nThe page: ${link}\n\nTo hear no more of ${spec.title}: ${ending}\n`,
    html: mailHtml(
      html`<h1 style="font-size:18px">${headline}</h1><p style="color:#626b7d">${when}</p><p style="white-space:pre-line">${text}</p><p><a href="${link}">The page</a></p><p style="color:#626b7d;font-size:12px">You get this because you subscribed to ${spec.title}. <a href="${ending}">Unsubscribe</a></p>`,
    ),
    to: [to],
    unsubscribeUrl: ending,
    idempotencyKey: key,
  };
}

export function confirmMail(spec: StatusPageSpec, { to, link, key }: Addressed & { readonly link: string }): Mail {
  const why = `Somebody, probably you, asked for the announcements of ${spec.title} at this address.`;
  const otherwise = 'If it was not you, do nothing: without the link nothing is kept and nothing more is sent.';
  return {
    subject: `Confirm your subscription to ${spec.title}`,
    text: `${why}\n\nOpen this link within two days to confirm it:\n${link}\n\n${otherwise}\n`,
    html: mailHtml(
      html`<p>${why}</p><p><a href="${link}">Confirm the subscription</a> (within two days)</p><p style="color:#626b7d">${otherwise}</p>`,
    ),
    to: [to],
    idempotencyKey: key,
  };
}

const mailHtml = (body: Html): string =>
  html`<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:15px;line-height:22px">${body}</body></html>`.markup;
