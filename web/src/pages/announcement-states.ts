import { t } from '../language/t.ts';

/** How an announced matter can stand, in the order in which it usually goes. */
export const STATE_CHOICES: { value: string; label: string }[] = [
  { value: 'investigating', label: t('Investigating') },
  { value: 'identified', label: t('Identified: the cause is known') },
  { value: 'monitoring', label: t('Monitoring: mended, being watched') },
  { value: 'resolved', label: t('Resolved') },
  { value: 'notice', label: t('Notice: about something else') },
];
