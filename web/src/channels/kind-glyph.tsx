/** A small picture of how a kind reaches people. */
const PATHS: Readonly<Record<string, string>> = {
  email: 'M2.5 4.5h15v11h-15zM3 5l7 6 7-6',
  slack: 'M7.5 2.5 5.5 17.5M14.5 2.5l-2 15M3 7.5h14.5M2.5 12.5H17',
  teams: 'M3 5.5h10v10H3zM5.5 8.5h5M8 8.5v5M15 7.5a2 2 0 1 0-.1 0M14.5 10h3v4a2 2 0 0 1-3 1.5',
  discord: 'M3 15.5V4.5h14v9H7zM7.5 9h.1M12.5 9h.1',
  telegram: 'M2.5 9.5 17.5 3.5l-2.5 13-5-4-2.5 3v-4.5l7-6',
  webhook: 'm7 5-4.5 5L7 15M13 5l4.5 5-4.5 5M11.5 3.5l-3 13',
  pagerduty: 'M5.5 14.5v-5a4.5 4.5 0 0 1 9 0v5M3 15h14M8.5 17.5h3M10 2.5V4',
  opsgenie: 'M10 2.5a4 4 0 1 1-.1 0M4 17.5c.5-4 3-6 6-6s5.5 2 6 6z',
  sms: 'M5.5 2.5h9v15h-9zM9 15h2M8 6h4M8 9h4',
  webpush: 'M2.5 3.5h15v10h-15zM2.5 6.5h15M8 16.5h4M10 13.5v3',
  dashboard: 'M2.5 3.5h15v13h-15zM2.5 7h15M6 10.5h8M6 13.5h5',
  log: 'M4 2.5h12v15H4zM7 6.5h6M7 10h6M7 13.5h4',
};

export const KindGlyph = ({ kind }: { readonly kind: string }) => (
  <svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.4"
    strokeLinejoin="round"
    aria-hidden="true"
  >
    <path d={PATHS[kind] ?? 'M3 3h14v14H3z'} />
  </svg>
);
