import type { ChartKind, ChartSpec, RunSet } from '../../host/commands.gen';

/** A chart of which nothing is said yet. */
export const PLAIN: ChartSpec = {
  kind: 'lines',
  title: '',
  metrics: [],
  x: '',
  y: '',
  size: '',
  shade: '',
  columns: [],
  group: [],
  band: 'std_dev',
  smoothing: 'none',
  amount: 0,
  log_x: false,
  log_y: false,
  ignore_outliers: false,
  better: 'unsaid',
  file: '',
  truth: '',
  said: '',
  positive: '',
  baseline: '',
  costs: null,
};

export const ALL_RUNS: RunSet = { runs: [], project: null, experiment: null, filter: null, order_by: null };

export const runsOf = (...runs: string[]): RunSet => ({ ...ALL_RUNS, runs });

/** A kept description as this program knows it: what a later one added stays, what is missing is as if nobody had said it. */
export function readSpec(raw: unknown): ChartSpec {
  return typeof raw === 'object' && raw !== null ? { ...PLAIN, ...(raw as Partial<ChartSpec>) } : PLAIN;
}

/** One table: kind of chart → what people call it, and what it answers. */
export const KINDS: Record<ChartKind, [string, string]> = {
  lines: ['Lines', 'How a metric went over steps or time'],
  bars: ['Bars', 'Who has most, with intervals of groups'],
  box: ['Boxes', 'How far runs of a group lie apart'],
  violin: ['Violins', 'The shape in which runs of a group lie'],
  histogram: ['Histogram', 'How often which value came'],
  scatter: ['Points', 'One column over another, and who is beaten by nobody'],
  contour: ['Contour', 'A metric over two parameters'],
  parallel: ['Parallel coordinates', 'Which settings lead to which result'],
  importance: ['What matters', 'Which parameters go with a metric'],
  correlation: ['Correlations', 'Which columns go with each other'],
  distribution: ['Distribution over steps', 'How logged histograms moved'],
  confusion: ['Confusion matrix', 'What was taken for what'],
  roc: ['ROC curve', 'How well scores tell two classes apart'],
  precision_recall: ['Precision and recall', 'What finding more costs'],
  calibration: ['Calibration', 'Whether 70 % means 70 %'],
  cost: ['Cost of errors', 'From which score on a yes is worth it'],
  residuals: ['Residuals', 'Where a regression is off'],
  images: ['Pictures by step', 'Logged pictures, with a slider'],
  table: ['Table', 'Runs and some of their columns'],
};

/** A metric as a column, whatever its name. */
export const metricColumn = (name: string) => `metrics.\`${name}\``;
export const paramColumn = (name: string) => `params.\`${name}\``;

/** Where a value lies on an axis, 0 to 1, and back. */
export interface Axis {
  from: number;
  to: number;
  log: boolean;
}
export function placeOf(axis: Axis, value: number): number {
  if (axis.log) return (Math.log10(value) - Math.log10(axis.from)) / (Math.log10(axis.to) - Math.log10(axis.from));
  return (value / 2 - axis.from / 2) / (axis.to / 2 - axis.from / 2);
}
export function valueAt(axis: Axis, place: number): number {
  if (axis.log) return 10 ** (Math.log10(axis.from) + (Math.log10(axis.to) - Math.log10(axis.from)) * place);
  return (axis.from / 2 + (axis.to / 2 - axis.from / 2) * place) * 2;
}

/** A number as a crosshair shows it. */
export function said(value: number, measure = 'number'): string {
  // Beyond these JavaScript has no dates.
  if (measure === 'time' && Math.abs(value) < 8.64e15) return new Date(value).toISOString().replace('T', ' ').slice(0, 19);
  if (measure === 'duration') {
    const seconds = value / 1000;
    if (Math.abs(seconds) < 60) return `${trim(seconds)} s`;
    if (Math.abs(seconds) < 3600) return `${trim(seconds / 60)} min`;
    return `${trim(seconds / 3600)} h`;
  }
  return trim(value);
}
function trim(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e15)) return value.toExponential(3);
  return value.toLocaleString('en', { maximumSignificantDigits: 6 });
}

/** The place of the value nearest to x in a sorted list. */
export function nearest(sorted: number[], x: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before >= 0 && x - (sorted[before] ?? 0) <= (sorted[low] ?? 0) - x) return before;
  return low;
}

/** A zoom within reason: none where all would be seen, and never further out than a width beyond what there is. */
export function bounded(whole: Axis, view: [number, number]): [number, number] | null {
  const [a, b] = [placeOf(whole, view[0]), placeOf(whole, view[1])];
  if (!(a > 0 || b < 1)) return null;
  return [valueAt(whole, Math.max(a, -1)), valueAt(whole, Math.min(b, 2))];
}

/** The runs of a page that a chart of it is about. */
export function within(page: RunSet, chart: RunSet): RunSet {
  const both = [page.filter, chart.filter].filter((f): f is string => !!f?.trim());
  return {
    ...page,
    runs: chart.runs.length > 0 ? chart.runs : page.runs,
    experiment: chart.experiment ?? page.experiment,
    filter: both.length > 1 ? both.map((f) => `(${f})`).join(' AND ') : (both[0] ?? null),
  };
}
