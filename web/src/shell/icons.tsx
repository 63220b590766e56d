/** Sixteen-pixel line icons of the navigation. Decoration: the word stands beside each. */
const PATHS = {
  overview: 'M2 9.5 8 4l6 5.5M4 8.5V13h8V8.5',
  services: 'M2.5 3.5h11v3.5h-11zM2.5 9h11v3.5h-11zM5 5.25h.01M5 10.75h.01',
  slas: 'M3 13V8.5M6.5 13V5M10 13V3M13.5 13v-2.5',
  targets: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 8h.01',
  agents: 'M8 14.5c3-3.4 4.5-6 4.5-8a4.5 4.5 0 0 0-9 0c0 2 1.5 4.6 4.5 8M8 8a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3',
  checks: 'M1.5 8.5h3L6.5 4l3 8.5 2-4h3',
  health: 'M8 13.5 2.6 8A3.2 3.2 0 0 1 7.2 3.6L8 4.4l.8-.8A3.2 3.2 0 0 1 13.4 8Z',
  alerts: 'M8 2.2a4 4 0 0 1 4 4c0 3.3 1.2 4.6 1.7 5H2.3c.5-.4 1.7-1.7 1.7-5a4 4 0 0 1 4-4ZM6.6 13.4a1.5 1.5 0 0 0 2.8 0',
  analytics: 'M2 13.5h12M2.5 10.5 6 6.5l2.5 2.5L11 5.5M12.5 4h.01M14 2.5h.01',
  explore: 'M2.5 4.5 6 8l-3.5 3.5M8 12h5.5',
  dashboards: 'M2 2.5h5v6H2zM9 2.5h5v3.5H9zM2 11h5v2.5H2zM9 8.5h5v5H9z',
  rules: 'M2 5h12M2 11h12M5.5 3v4M10.5 9v4',
  incidents: 'M8 2 1.5 13.5h13zM8 6.5v3.5M8 12h.01',
  notifications: 'M2 3.5h12v9H2zM2 4l6 5 6-5',
  oncall:
    'M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M1.5 13.5c0-2.6 2-4.2 4.5-4.2 1 0 2 .3 2.7.7M12 8.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 10v1.6l1 .8',
  silences: 'M8 2.2a4 4 0 0 1 4 4c0 3.3 1.2 4.6 1.7 5H2.3c.5-.4 1.7-1.7 1.7-5a4 4 0 0 1 4-4ZM2 2l12 12',
  maintenance: 'M9.5 6.5 3 13M2.5 11.5l2 2M9 3.5a3.2 3.2 0 0 1 3.8-.8L10.8 4.7l.9 1.6 2.1-.4a3.2 3.2 0 0 1-4.6 2.3',
  escalation: 'M5 14.5v-13M11 14.5v-13M5 4h6M5 8h6M5 12h6',
  routes: 'M2 8h3.5M5.5 8c2 0 2-4.5 4-4.5H14M5.5 8c2 0 2 4.5 4 4.5H14M12 1.5l2 2-2 2M12 10.5l2 2-2 2',
  status: 'M2 3h12v8.5H2zM5.5 14h5M8 11.5V14M4.5 8.5v-3M7 8.5v-3M9.5 8.5v-1M12 8.5v-3',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  reports: 'M4 1.5h5.5L12.5 4.5v10h-8.5zM9.5 1.5v3h3M6.25 8h4M6.25 11h4',
  settings:
    'M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M8.5 4.5a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 1 0-3.5 0M4 11.5a1.75 1.75 0 1 0 3.5 0 1.75 1.75 0 1 0-3.5 0',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
