/** How an announced matter can stand, in the order in which it usually goes. */
export const STATE_CHOICES: { value: string; label: string }[] = [
  { value: 'investigating', label: 'Investigating' },
  { value: 'identified', label: 'Identified: the cause is known' },
  { value: 'monitoring', label: 'Monitoring: mended, being watched' },
  { value: 'resolved', label: 'Resolved' },
  { value: 'notice', label: 'Notice: about something else' },
];
