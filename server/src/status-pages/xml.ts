import { escapeHtml } from '../platform/html.ts';

/** XML 1.0 knows no other control characters and no half of a pair, not even escaped (section 2.2). */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** A text as it stands in an element or an attribute of XML. */
export const xml = (text: string): string => escapeHtml(text.replace(FORBIDDEN, '\ufffd'));
