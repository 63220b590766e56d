/** Go's zero time, which Prometheus and Alertmanager print for an instant that never was. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';
