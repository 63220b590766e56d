import { type CSSVariablesResolver, type MantineColorsTuple, createTheme, localStorageColorSchemeManager } from '@mantine/core';

/** The one accent: "you can act here", and nothing else. */
const indigo: MantineColorsTuple = [
  '#eef0fd',
  '#d9ddf9',
  '#b9c0f4',
  '#98a2f0',
  '#8590f0',
  '#6b76ea',
  '#4f5bd5',
  '#424dbd',
  '#37419f',
  '#2c347f',
];

/** The dark theme's greys lean to blue, as the tokens do; from ink to ground. */
const dark: MantineColorsTuple = [
  '#e9ecf2',
  '#b4bccb',
  '#8f98a9',
  '#5b6576',
  '#3a4353',
  '#2a313d',
  '#1d222b',
  '#151920',
  '#0e1116',
  '#0a0d11',
];

/** Matches `colour-scheme.js`, which reads it before the first paint. */
export const colourSchemeManager = localStorageColorSchemeManager({ key: 'nines-colour-scheme' });

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 6, dark: 6 },
  colors: { indigo, dark },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '14px', md: '14px', lg: '18px', xl: '28px' },
  defaultRadius: 6,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { withArrow: false, openDelay: 150 } },
    // The page keeps its own scroll bar; locking it would inject styles that the content security policy refuses.
    Modal: { defaultProps: { lockScroll: false, centered: true } },
    Drawer: { defaultProps: { lockScroll: false, position: 'right', size: 520 } },
  },
});

/** Mantine's own words for surfaces and ink, pointed at the tokens of `styles/tokens.css`. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-faint)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-default-color': 'var(--accent)',
    '--mantine-color-default-border': 'var(--line-strong)',
    '--mantine-color-placeholder': 'var(--ink-faint)',
    '--mantine-color-anchor': 'var(--accent)',
    '--mantine-color-error': 'var(--ink)',
  };
  return { variables: {}, light: shared, dark: shared };
};

/** The nonce the server put into the page for generated style sheets; empty in development. */
export function styleNonce(): string {
  const content = document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content') ?? '';
  return content.startsWith('__') ? '' : content;
}

export const DENSITIES = ['comfortable', 'compact'] as const;
export type Density = (typeof DENSITIES)[number];

/** Matches `colour-scheme.js`, which reads it before the first paint. */
const DENSITY_KEY = 'nines-density';

export const density = (): Density => (document.documentElement.dataset['density'] === 'compact' ? 'compact' : 'comfortable');

/** How close together rows and parts stand in this browser, from now on. */
export function setDensity(chosen: Density): void {
  document.documentElement.dataset['density'] = chosen;
  try {
    localStorage.setItem(DENSITY_KEY, chosen);
  } catch {
    // Storage may be refused; it holds until the page is loaded anew.
  }
}
