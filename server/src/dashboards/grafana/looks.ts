/**
 * What of a panel has a meaning that was not taken over, and settings that nobody here knows. How lines, legends and numbers look is not
 * told panel by panel: it is said once for the dashboard.
 */
import type { Context } from './context.ts';
import { type Fields, fieldsAt, isTrueAt, listAt, objectsAt, textAt, valueAt } from './fields.ts';
import { targetsOf } from './context.ts';

const MEANT: readonly string[] = [
  'alert', 'colors', 'columns', 'content', 'dataFormat', 'datasource', 'decimals', 'description', 'fieldConfig', 'fill', 'format', 'gauge',
  'gridPos', 'id', 'interval', 'libraryPanel', 'links', 'bars', 'lines', 'logBase', 'mode', 'options', 'percentage', 'pieType', 'postfix',
  'prefix', 'rangeMaps', 'repeat', 'seriesOverrides', 'sort', 'sparkline', 'stack', 'styles', 'targets', 'thresholds', 'timeFrom',
  'timeRegions', 'timeShift', 'title', 'transformations', 'transform', 'type', 'valueMaps', 'valueName', 'xaxis', 'yAxis', 'yaxes',
  'aliasColors', 'nullText', 'height', 'span', 'tags', 'limit', 'show', 'onlyAlertsOnDashboard', 'stateFilter', 'sortOrder', 'alertName',
  'nameFilter', 'dashboardTitle', 'folderId', 'tableColumn',
]; // biome-ignore format: a list of words
/** How things look, and what Grafana keeps for itself. */
const LOOKS: readonly string[] = [
  'transparent', 'pluginVersion', 'repeatDirection', 'repeatIteration', 'repeatPanelId', 'repeatedByRow', 'maxPerRow', 'maxDataPoints',
  'minSpan', 'hideTimeOverride', 'cacheTimeout', 'queryCachingTTL', 'dashLength', 'dashes', 'spaceLength', 'fillGradient', 'hiddenSeries',
  'legend', 'legendType', 'linewidth', 'nullPointMode', 'pointradius', 'points', 'renderer', 'steppedLine', 'tooltip',
  'error', 'editable', 'grid', 'isNew', 'scopedVars', 'colorBackground', 'colorValue', 'colorPrefix', 'colorPostfix', 'valueFontSize',
  'prefixFontSize', 'postfixFontSize', 'mappingType', 'mappingTypes', 'yaxis', 'xAxis', 'cards', 'color', 'dataGridPos', 'heatmap',
  'hideZeroBuckets', 'highlightCards', 'reverseYBuckets', 'tooltipDecimals', 'xBucketNumber', 'xBucketSize', 'yBucketBound',
  'yBucketNumber', 'yBucketSize', 'fontSize', 'pageSize', 'scroll', 'showHeader', 'filterNull', 'strokeWidth', 'combine',
  'breakPoint', 'headings', 'collapsed', 'collapse', 'timezone', 'snapshotData', 'x-axis', 'y-axis', 'leftYAxisLabel', 'y_formats',
  'decimalsMin', 'hasRefreshed', 'loading', 'version', 'bgColor', 'style', 'sortDesc', 'rightYAxis', 'flipCard', 'fluid',
]; // biome-ignore format: a list of words
const KNOWN = new Set([...MEANT, ...LOOKS]);

export function tellRest(panel: Fields, title: string, context: Context): void {
  const lose = (what: string, why: string): void => context.losses.add(title, what, why);
  const defaults = fieldsAt(panel, 'fieldConfig', 'defaults');
  if (isSet(valueAt(panel, 'alert')))
    lose(`its alert rule "${textAt(panel, 'alert', 'name')}"`, 'a panel raises no alerts: make a rule of its query');
  if (
    listAt(defaults, 'mappings').length +
      listAt(panel, 'valueMaps').filter(isMapping).length +
      listAt(panel, 'rangeMaps').filter(isMapping).length >
    0
  )
    lose('words for values', 'numbers are shown as numbers');
  if (isSet(valueAt(panel, 'aliasColors'))) lose('colours of single series', 'a series has one colour on every dashboard, chosen by Nines');
  if (textAt(panel, 'timeFrom') !== '') lose(`its own range (${textAt(panel, 'timeFrom')})`, 'all panels show the range of the dashboard');
  if (textAt(panel, 'timeShift') !== '') lose(`its shift in time (${textAt(panel, 'timeShift')})`, 'write offset in the query');
  if (listAt(panel, 'timeRegions').length > 0) lose('bands of hours and weekdays', 'bands are annotations');
  if (textAt(panel, 'prefix') !== '' || textAt(panel, 'postfix') !== '')
    lose('text before or behind its number', 'a number stands with its unit');
  if (['name', 'value_and_name'].includes(textAt(panel, 'options', 'textMode')) && textAt(panel, 'options', 'textMode') === 'name')
    lose('the name of a series in place of its value', 'the value is shown');
  if (
    objectsAt(panel, 'styles').some(
      (one) => listAt(one, 'thresholds').length > 0 || (textAt(one, 'unit') !== '' && textAt(one, 'unit') !== 'short'),
    )
  )
    lose('styles of single columns', 'a table has one unit and one list of limits');
  const name = textAt(defaults, 'displayName');
  if (name !== '') lose(`one name for all its series (${name})`, 'a series is called by its legend or its labels');
  if (isTrueAt(panel, 'options', 'showValues')) lose('values on bars', 'the value stands beside the bar');
  const unknown = Object.keys(panel).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) lose(`the settings ${unknown.slice(0, 20).join(', ')}`, 'they are not known here');
  if (targetsOf(panel).some((one) => textAt(one, 'interval') !== '') || textAt(panel, 'interval') !== '')
    lose('the least step of its queries', 'the step follows the range and the width');
}

/** Old panels begin with a mapping of nothing to "N/A", which every panel here does. */
const isMapping = (one: unknown): boolean => !['', 'null'].includes(textAt(one, 'value') || textAt(one, 'from'));

const isSet = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length > 0;
