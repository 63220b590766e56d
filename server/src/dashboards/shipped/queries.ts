/**
 * PromQL of the figures that shipped dashboards show, over node_exporter's names and those that applications commonly have. They keep
 * `instance` or `job`, so that one panel shows every host and application that sends them.
 */
const byHost = (metric: string): string => `sum by (instance) (rate(${metric}[5m]))`;
const byJob = (selector: string): string => `sum by (job) (rate(${selector}[5m]))`;
const usedDisk = '(node_filesystem_size_bytes - node_filesystem_free_bytes)';

export const CPU_PERCENT = `100 * ${byHost('node_cpu_seconds_total{mode=~"user|nice|system|irq|softirq|steal"}')} / ${byHost('node_cpu_seconds_total')}`;
export const MEMORY_PERCENT = '100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)';
/** As df tells it: what is reserved for the administrator counts neither as used nor as free. */
export const DISK_PERCENT = `100 * ${usedDisk} / (${usedDisk} + node_filesystem_avail_bytes)`;
export const FULLEST_DISK_PERCENT = `max by (instance) (${DISK_PERCENT})`;
export const RECEIVED_BYTES = byHost('node_network_receive_bytes_total{device!="lo"}');
export const SENT_BYTES = byHost('node_network_transmit_bytes_total{device!="lo"}');
/** Of applications per job; where none tells, of the checks per service. */
export const RESPONSE_SECONDS = `${byJob('http_request_duration_seconds_sum')} / ${byJob('http_request_duration_seconds_count')} or avg by (service) (probe_duration_seconds)`;
export const ERROR_PERCENT = `100 * ${byJob('http_requests_total{code=~"5.."}')} / ${byJob('http_requests_total')} or 100 * (1 - avg by (service) (probe_success))`;
export const REQUESTS_PER_SECOND = byJob('http_requests_total');
export const ACTIVE_USERS = 'sum(active_users)';
export const OWN_CPU_PERCENT = '100 * rate(process_cpu_seconds_total{job="nines"}[5m])';
export const OWN_MEMORY_BYTES = 'process_resident_memory_bytes{job="nines"}';
/** What filters, firewalls and scanners turned away, over a day. */
export const THREATS_BLOCKED = 'sum(increase(security_threats_blocked_total[1d]))';
export const PAGE_VIEWS = 'sum(rate(engagement_page_views_total[5m]))';
export const FEATURE_USES = 'sum by (feature) (increase(engagement_feature_uses_total[1d]))';
export const SESSIONS = 'sum(engagement_sessions)';
/** Shares of one machine, or of all that tell theirs. */
export const CPU_SHARE = `avg(${CPU_PERCENT})`;
export const MEMORY_USED_BYTES = 'sum(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)';
export const MEMORY_FREE_BYTES = 'sum(node_memory_MemAvailable_bytes)';
export const DISK_USED_BYTES = `sum(${usedDisk})`;
export const DISK_FREE_BYTES = 'sum(node_filesystem_avail_bytes)';
/** Models in operation: the names that the rules of the pack `ml` read. */
export const MODELS_THAT_TELL = 'count(count by (model) ({__name__=~"model_.+", model!=""}))';
export const DRIFT = 'max by (model) (model_drift_score)';
export const DRIFT_BY_FEATURE = 'topk(20, max by (model, feature) (model_drift_score{feature!=""}))';
export const ACCURACY = 'avg by (model) (model_accuracy_ratio)';
export const inferenceSeconds = (share: number): string =>
  `histogram_quantile(${share}, sum by (model, le) (rate(model_inference_duration_seconds_bucket[5m])))`;
export const INFERENCES = 'sum by (model) (rate(model_inference_duration_seconds_count[5m]))';
export const FAILED_TRAININGS = 'sum by (model) (increase(model_training_runs_total{outcome="failure"}[1d]))';
export const MODEL_AGE_DAYS = '(time() - max by (model) (model_last_trained_timestamp_seconds)) / 86400';
/** What the names of docs/metrics.md, "Told by you", say: the money, the customers and the machines of a business. */
export const REVENUE_OF_A_DAY = 'sum(increase(business_revenue_total[1d]))';
export const COSTS_OF_A_DAY = 'sum(increase(business_costs_total[1d]))';
/** What came back of what was spent, over thirty days or as long as both are told. */
export const RETURN_RATIO =
  '(sum(increase(business_revenue_total[30d])) - sum(increase(business_costs_total[30d]))) / sum(increase(business_costs_total[30d]))';
export const SATISFACTION = 'avg(business_satisfaction_ratio)';
export const CUSTOMERS = 'sum(business_customers)';
export const CUSTOMERS_WON = 'sum(increase(business_customers_won_total[1d]))';
export const CUSTOMERS_LOST = 'sum(increase(business_customers_lost_total[1d]))';
export const MARKET_SHARE = 'avg(business_market_share_ratio)';
export const AUTOMATION_RUNS = 'sum by (outcome) (increase(automation_runs_total[1d]))';
export const AUTOMATION_SUCCESS = 'sum(increase(automation_runs_total{outcome="success"}[7d])) / sum(increase(automation_runs_total[7d]))';
