/** Chooses among the sources of Grafana that speak PromQL; provisioned files have nobody who answers `__inputs`. */
export const SOURCE_VARIABLE = 'datasource';
export const SOURCE = { type: 'prometheus', uid: `\${${SOURCE_VARIABLE}}` } as const;
