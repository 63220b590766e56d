/** What status pages say to their visitors, in the languages that a page can have. Feeds, JSON, badges and mail are in English. */
import type { PageLanguage } from './contract.ts';
import { ANNOUNCEMENT_WORDS, type Affected, STATE_WORDS, type ShownState } from './evaluate.ts';

type Sentences = {
  readonly skip: string;
  readonly stale: string;
  readonly services: string;
  readonly feeds: string;
  readonly calendar: string;
  readonly legend: string;
  readonly legendOf: Readonly<Record<ShownState, string>>;
  readonly states: Readonly<Record<ShownState, string>>;
  /** Within a sentence: `down 4 min`. */
  readonly within: Readonly<Record<ShownState, string>>;
  readonly announcements: Readonly<Record<keyof typeof ANNOUNCEMENT_WORDS, string>>;
  readonly nothingKnown: string;
  readonly nothingIsKnown: string;
  readonly notCounted: string;
  readonly today: string;
  /** Behind a figure, and above a column of them. */
  readonly uptime: string;
  readonly uptimeHead: string;
  readonly figures: string;
  readonly window: string;
  readonly day: string;
  readonly seen: string;
  readonly goingOn: string;
  readonly planned: string;
  readonly nothingPast: string;
  readonly subscribe: string;
  readonly email: string;
  readonly byEmail: string;
  readonly webhook: string;
  readonly byWebhook: string;
  readonly excluded: string;
  readonly counted: string;
  readonly explained: string;
  days(count: number): string;
  daysAgo(count: number): string;
  pastDays(count: number): string;
  since(at: string): string;
  span(from: string, to: string): string;
  again(at: string): string;
  figuresOf(name: string): string;
  dayByDay(name: string, summary: string): string;
  asOf(at: string, zone: string): string;
  headline(state: ShownState, of: Affected): string;
};

const EN: Sentences = {
  skip: 'Skip to the content',
  stale: 'The monitor is busy. This is what was known last; when that was stands at the end of the page.',
  services: 'Services',
  feeds: 'Feeds',
  calendar: 'Maintenance calendar',
  legend: 'What the bars mean',
  legendOf: {
    up: 'Up',
    degraded: 'Degraded: a short bar',
    down: 'Down: a broken bar',
    maintenance: 'Maintenance',
    unknown: 'Not known',
  },
  states: STATE_WORDS,
  within: { up: 'up', degraded: 'degraded', down: 'down', maintenance: 'maintenance', unknown: 'unknown' },
  announcements: ANNOUNCEMENT_WORDS,
  nothingKnown: 'nothing known',
  nothingIsKnown: 'nothing is known',
  notCounted: 'not counted',
  today: 'today',
  uptime: 'uptime',
  uptimeHead: 'Uptime',
  figures: 'Figures and days',
  window: 'Window',
  day: 'Day',
  seen: 'What was seen',
  goingOn: 'Going on',
  planned: 'Planned',
  nothingPast: 'Nothing that is over.',
  subscribe: 'Be told of announcements',
  email: 'Email address',
  byEmail: 'Subscribe by email',
  webhook: 'Webhook address',
  byWebhook: 'Subscribe a webhook',
  excluded: 'Planned maintenance is not counted.',
  counted: 'Planned maintenance counts like any other time.',
  explained:
    'Uptime is the time up or degraded over the time of which something is known, truncated and never rounded up; digits within the doubt of the evidence are faint.',
  days: (count) => `${count} days`,
  daysAgo: (count) => `${count} days ago`,
  pastDays: (count) => `What was announced in the last ${count} days`,
  since: (at) => `since ${at}`,
  span: (from, to) => `${from} to ${to}`,
  again: (at) => `Then again ${at}`,
  figuresOf: (name) => `Figures and days of ${name}`,
  dayByDay: (name, summary) => `${name}, day by day: ${summary}`,
  asOf: (at, zone) => `As of ${at}. All times are those of ${zone}.`,
  headline: (state, { name, affected, all }) => {
    const who = name ?? `${affected} of ${all} services`;
    const be = name === undefined ? 'are' : 'is';
    switch (state) {
      case 'up':
        return all === 1 ? `${who} is up` : 'All services are up';
      case 'down':
        return all > 1 && affected === all ? 'All services are down' : `${who} ${be} down`;
      case 'degraded':
        return `${who} ${be} degraded`;
      case 'unknown':
        return `The state of ${who} is not known`;
      case 'maintenance':
        return `${who} ${be} being worked on`;
    }
  },
};

const DE: Sentences = {
  skip: 'Zum Inhalt springen',
  stale: 'Die Überwachung ist beschäftigt. Dies ist der letzte bekannte Stand; von wann er ist, steht am Ende der Seite.',
  services: 'Dienste',
  feeds: 'Feeds',
  calendar: 'Wartungskalender',
  legend: 'Was die Balken bedeuten',
  legendOf: {
    up: 'Verfügbar',
    degraded: 'Beeinträchtigt: ein kurzer Balken',
    down: 'Ausgefallen: ein gebrochener Balken',
    maintenance: 'Wartung',
    unknown: 'Nicht bekannt',
  },
  states: { up: 'Verfügbar', degraded: 'Beeinträchtigt', down: 'Ausgefallen', unknown: 'Unbekannt', maintenance: 'Wartung' },
  within: { up: 'verfügbar', degraded: 'beeinträchtigt', down: 'ausgefallen', maintenance: 'Wartung', unknown: 'unbekannt' },
  announcements: {
    notice: 'Hinweis',
    investigating: 'In Untersuchung',
    identified: 'Ursache gefunden',
    monitoring: 'Unter Beobachtung',
    resolved: 'Behoben',
  },
  nothingKnown: 'nichts bekannt',
  nothingIsKnown: 'nichts ist bekannt',
  notCounted: 'nicht gezählt',
  today: 'heute',
  uptime: 'verfügbar',
  uptimeHead: 'Verfügbarkeit',
  figures: 'Zahlen und Tage',
  window: 'Zeitraum',
  day: 'Tag',
  seen: 'Was gesehen wurde',
  goingOn: 'Läuft',
  planned: 'Geplant',
  nothingPast: 'Nichts, was vorbei ist.',
  subscribe: 'Meldungen erhalten',
  email: 'E-Mail-Adresse',
  byEmail: 'Per E-Mail abonnieren',
  webhook: 'Webhook-Adresse',
  byWebhook: 'Webhook abonnieren',
  excluded: 'Geplante Wartung wird nicht gezählt.',
  counted: 'Geplante Wartung zählt wie jede andere Zeit.',
  explained:
    'Die Verfügbarkeit ist die verfügbare oder beeinträchtigte Zeit geteilt durch die Zeit, über die etwas bekannt ist, abgeschnitten und nie aufgerundet; Ziffern im Zweifel der Belege sind blass.',
  days: (count) => `${count} Tage`,
  daysAgo: (count) => `vor ${count} Tagen`,
  pastDays: (count) => `Was in den letzten ${count} Tagen gemeldet wurde`,
  since: (at) => `seit ${at}`,
  span: (from, to) => `${from} bis ${to}`,
  again: (at) => `Dann wieder ${at}`,
  figuresOf: (name) => `Zahlen und Tage von ${name}`,
  dayByDay: (name, summary) => `${name}, Tag für Tag: ${summary}`,
  asOf: (at, zone) => `Stand ${at}. Alle Zeiten sind die von ${zone}.`,
  headline: (state, { name, affected, all }) => {
    const who = name ?? `${affected} von ${all} Diensten`;
    const be = name === undefined ? 'sind' : 'ist';
    const whole = all > 1 && affected === all;
    switch (state) {
      case 'up':
        return all === 1 ? `${who} ist verfügbar` : 'Alle Dienste sind verfügbar';
      case 'down':
        return whole ? 'Alle Dienste sind ausgefallen' : `${who} ${be} ausgefallen`;
      case 'degraded':
        return `${who} ${be} beeinträchtigt`;
      case 'unknown':
        return `Der Zustand von ${who} ist nicht bekannt`;
      case 'maintenance':
        return `An ${who} wird gearbeitet`;
    }
  },
};

const FR: Sentences = {
  skip: 'Aller au contenu',
  stale: 'La surveillance est occupée. Voici le dernier état connu ; son heure se trouve en bas de la page.',
  services: 'Services',
  feeds: 'Flux',
  calendar: 'Calendrier des maintenances',
  legend: 'Ce que signifient les barres',
  legendOf: {
    up: 'Disponible',
    degraded: 'Dégradé : une barre courte',
    down: 'En panne : une barre brisée',
    maintenance: 'Maintenance',
    unknown: 'Non connu',
  },
  states: { up: 'Disponible', degraded: 'Dégradé', down: 'En panne', unknown: 'Inconnu', maintenance: 'Maintenance' },
  within: { up: 'disponible', degraded: 'dégradé', down: 'en panne', maintenance: 'maintenance', unknown: 'inconnu' },
  announcements: {
    notice: 'Avis',
    investigating: 'Analyse en cours',
    identified: 'Cause identifiée',
    monitoring: 'Sous surveillance',
    resolved: 'Résolu',
  },
  nothingKnown: 'rien de connu',
  nothingIsKnown: 'rien n’est connu',
  notCounted: 'non compté',
  today: 'aujourd’hui',
  uptime: 'de disponibilité',
  uptimeHead: 'Disponibilité',
  figures: 'Chiffres et jours',
  window: 'Période',
  day: 'Jour',
  seen: 'Ce qui a été vu',
  goingOn: 'En cours',
  planned: 'Planifiée',
  nothingPast: 'Rien qui soit terminé.',
  subscribe: 'Recevoir les annonces',
  email: 'Adresse e-mail',
  byEmail: 'S’abonner par e-mail',
  webhook: 'Adresse du webhook',
  byWebhook: 'Abonner un webhook',
  excluded: 'La maintenance planifiée n’est pas comptée.',
  counted: 'La maintenance planifiée compte comme tout autre temps.',
  explained:
    'La disponibilité est le temps disponible ou dégradé divisé par le temps dont quelque chose est connu, tronquée et jamais arrondie vers le haut ; les chiffres que les preuves laissent en doute sont pâles.',
  days: (count) => `${count} jours`,
  daysAgo: (count) => `il y a ${count} jours`,
  pastDays: (count) => `Ce qui a été annoncé ces ${count} derniers jours`,
  since: (at) => `depuis le ${at}`,
  span: (from, to) => `du ${from} au ${to}`,
  again: (at) => `Puis de nouveau le ${at}`,
  figuresOf: (name) => `Chiffres et jours de ${name}`,
  dayByDay: (name, summary) => `${name}, jour par jour : ${summary}`,
  asOf: (at, zone) => `État au ${at}. Toutes les heures sont celles de ${zone}.`,
  headline: (state, { name, affected, all }) => {
    const who = name ?? `${affected} services sur ${all}`;
    const be = name === undefined ? 'sont' : 'est';
    const whole = all > 1 && affected === all;
    switch (state) {
      case 'up':
        return all === 1 ? `${who} est disponible` : 'Tous les services sont disponibles';
      case 'down':
        return whole ? 'Tous les services sont en panne' : `${who} ${be} en panne`;
      case 'degraded':
        return name === undefined ? `${who} sont dégradés` : `${who} est dégradé`;
      case 'unknown':
        return `L’état de ${who} n’est pas connu`;
      case 'maintenance':
        return `${who} ${be} en maintenance`;
    }
  },
};

const ALL: Readonly<Record<PageLanguage, Sentences>> = { en: EN, de: DE, fr: FR };

export type PageWords = Sentences & {
  readonly language: PageLanguage;
  /** Decimal text with the mark of the language. */
  decimal(text: string): string;
  readonly percent: string;
};

const PERCENTS: Readonly<Record<PageLanguage, string>> = { en: ' %', de: '\u00a0%', fr: '\u202f%' };

export const wordsIn = (language: PageLanguage): PageWords => ({
  ...ALL[language],
  language,
  decimal: (text) => (language === 'en' ? text : text.replace('.', ',')),
  percent: PERCENTS[language],
});
