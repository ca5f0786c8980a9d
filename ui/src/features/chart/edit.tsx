import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { ChartKind, ChartSpec, Drawable, DrawableMetric, RunSet } from '../../host/commands.gen';
import { Dialog } from '../../parts/dialog';
import { KINDS, metricColumn, paramColumn, within } from './spec';
import { ChartView } from './view';

const FREE: NonNullable<ChartSpec['costs']> = {
  currency: '',
  false_positive: 0,
  false_negative: 0,
  true_positive: 0,
  true_negative: 0,
  threshold: null,
};
const COSTS: ['currency' | 'false_positive' | 'false_negative' | 'true_positive', string][] = [
  ['false_positive', 'What a false alarm costs'],
  ['false_negative', 'What a miss costs'],
  ['true_positive', 'What a right alarm costs'],
  ['currency', 'Currency'],
];

interface Props {
  spec: ChartSpec;
  of: RunSet;
  section: string;
  /** Which runs it is about beyond what its page says. */
  filter?: string;
  title: string;
  /** What the button that keeps it says. */
  verb: string;
  busy: boolean;
  /** Whether it may be about fewer runs than its page. */
  narrow?: boolean;
  onSave: (spec: ChartSpec, section: string, filter: string) => void;
  onClose: () => void;
  children?: React.ReactNode;
}

/** Columns of runs: what stands in a description, and what people call it. */
export function columnsOf(all: Drawable | undefined): [string, string][] {
  return [
    ...(all?.metrics.map((m): [string, string] => [metricColumn(m.name), `metric ${m.name}`]) ?? []),
    ...(all?.metrics.flatMap((m): [string, string][] => {
      if (m.points < 2 || m.better === '') return [];
      const of = m.better === 'higher' ? 'max' : 'min';
      return [[`${of}(${metricColumn(m.name)})`, `best ${m.name}`]];
    }) ?? []),
    ...(all?.params.map((p): [string, string] => [paramColumn(p.name), `parameter ${p.name}`]) ?? []),
    ...(all?.tags.map((t): [string, string] => [`tags.\`${t}\``, `tag ${t}`]) ?? []),
    ['duration', 'how long it took'],
    ['start_time', 'when it began'],
    ['experiment', 'experiment'],
    ['run_name', 'name of the run'],
    ['status', 'state'],
    ['user_id', 'who'],
  ];
}

/** What may run along a chart of lines. */
export function alongOf(metrics: DrawableMetric[] | undefined): [string, string][] {
  return [
    ['step', 'step'],
    ['time', 'time'],
    ['relative', 'time since the start'],
    ...(metrics ?? []).filter((m) => m.points > 1).map((m): [string, string] => [`metrics.${m.name}`, `metric ${m.name}`]),
  ];
}

/** Says what a chart shows, with the chart itself beside it. */
export function ChartEditor({
  spec: first,
  of,
  section: firstSection,
  title,
  verb,
  busy,
  onSave,
  onClose,
  narrow,
  filter = '',
  children,
}: Props) {
  const [spec, setSpec] = useState(first);
  const [fits, setFits] = useState(filter);
  const [section, setSection] = useState(firstSection);
  const there = useCommand('chart.browse', { of });
  const all = there.data;
  const change = (next: Partial<ChartSpec>) => setSpec({ ...spec, ...next });
  const columns = columnsOf(all);
  const metrics = all?.metrics.map((m): [string, string] => [m.name, m.name]) ?? [];
  const lists: Record<string, [string, string][]> = {
    distribution: all?.histograms.map((h): [string, string] => [h, h]) ?? [],
    images: all?.pictures.map((p): [string, string] => [p, p]) ?? [],
  };
  const has = (...kinds: ChartKind[]) => kinds.includes(spec.kind);
  const judged = has('confusion', 'roc', 'precision_recall', 'calibration', 'cost', 'residuals');
  return (
    <Dialog open onClose={onClose} title={title} className="wide">
      <form
        className="edit-chart"
        onSubmit={(e) => {
          e.preventDefault();
          // The editor may stand in another form's dialog, such as that of a note.
          e.stopPropagation();
          onSave(spec, section, fits.trim());
        }}
      >
        <div className="stack">
          <label className="field">
            Kind
            <select value={spec.kind} onChange={(e) => change({ kind: e.target.value as ChartKind })}>
              {Object.entries(KINDS).map(([kind, [name]]) => (
                <option key={kind} value={kind}>
                  {name}
                </option>
              ))}
            </select>
            <span className="hint">{KINDS[spec.kind][1]}</span>
          </label>
          {has('lines') && <Several label="Metrics" all={metrics} chosen={spec.metrics} choose={(m) => change({ metrics: m })} />}
          {has('bars', 'box', 'violin', 'importance', 'distribution', 'images') && (
            <One
              label={has('distribution') ? 'Histogram' : has('images') ? 'Pictures' : 'Metric'}
              all={lists[spec.kind] ?? metrics}
              value={spec.metrics[0] ?? ''}
              none={has('distribution') ? 'the first' : has('images') ? 'all' : undefined}
              choose={(m) => change({ metrics: m ? [m] : [] })}
            />
          )}
          {has('lines') && (
            <One label="Along" all={alongOf(all?.metrics)} value={spec.x || 'step'} choose={(x) => change({ x })} />
          )}
          {has('scatter', 'contour', 'histogram') && (
            <One label="X axis" all={columns} value={spec.x} choose={(x) => change({ x })} />
          )}
          {has('scatter', 'contour') && <One label="Y axis" all={columns} value={spec.y} choose={(y) => change({ y })} />}
          {has('scatter', 'contour', 'parallel') && (
            <One label="Colour" all={columns} value={spec.shade} none="none" choose={(shade) => change({ shade })} />
          )}
          {has('scatter') && (
            <One label="Size" all={columns} value={spec.size} none="all alike" choose={(size) => change({ size })} />
          )}
          {has('parallel', 'table', 'correlation') && (
            <Several label="Columns" all={columns} chosen={spec.columns} choose={(c) => change({ columns: c })} />
          )}
          {has('lines', 'bars', 'box', 'violin') && (
            <Several
              label="Bring together runs of equal"
              all={columns}
              chosen={spec.group}
              choose={(group) => change({ group })}
            />
          )}
          {has('scatter') && (
            <One
              label="Kinds of points"
              all={columns}
              value={spec.group[0] ?? ''}
              none="none"
              choose={(g) => change({ group: g ? [g] : [] })}
            />
          )}
          {has('lines') && spec.group.length > 0 && (
            <One
              label="Band"
              all={[
                ['std_dev', 'standard deviation'],
                ['std_err', 'standard error'],
                ['min_max', 'lowest to highest'],
                ['quartiles', 'middle half, around the median'],
                ['wide', 'middle nine tenths, around the median'],
                ['none', 'none'],
              ]}
              value={spec.band}
              choose={(band) => change({ band: band as ChartSpec['band'] })}
            />
          )}
          {has('lines') && <Smooth spec={spec} change={change} />}
          {judged && (
            <>
              <One
                label="File of predictions"
                all={(all?.tables ?? []).map((t) => [t, t])}
                value={spec.file}
                none="found by its name"
                choose={(file) => change({ file })}
              />
              <Words label="Column of the true value" value={spec.truth} onChange={(truth) => change({ truth })} />
              <Words label="Column of what the model said" value={spec.said} onChange={(said) => change({ said })} />
              {has('cost') &&
                COSTS.map(([key, label]) => (
                  <Words
                    key={key}
                    label={label}
                    value={String(spec.costs?.[key] || '')}
                    onChange={(text) =>
                      change({
                        costs: {
                          ...(spec.costs ?? FREE),
                          [key]: key === 'currency' ? text : Number(text.replace(',', '.')) || 0,
                        },
                      })
                    }
                  />
                ))}
              {has('roc', 'precision_recall', 'calibration', 'cost') && (
                <Words
                  label="Class that counts as positive"
                  value={spec.positive}
                  onChange={(positive) => change({ positive })}
                />
              )}
            </>
          )}
          {has('lines', 'bars', 'box', 'violin', 'scatter', 'contour', 'parallel') && (
            <One
              label="Better is"
              all={[
                ['unsaid', 'what the name says'],
                ['higher', 'higher'],
                ['lower', 'lower'],
              ]}
              value={spec.better}
              choose={(better) => change({ better: better as ChartSpec['better'] })}
            />
          )}
          {has('lines', 'scatter', 'contour', 'bars', 'box', 'violin', 'histogram') && (
            <div className="row">
              <Tick
                label={has('lines', 'scatter', 'contour') ? 'Logarithmic x' : 'Logarithmic values'}
                on={spec.log_x}
                set={(log_x) => change({ log_x })}
              />
              {has('lines', 'scatter', 'contour') && (
                <Tick label="Logarithmic y" on={spec.log_y} set={(log_y) => change({ log_y })} />
              )}
              {has('lines') && (
                <Tick label="Leave out outliers" on={spec.ignore_outliers} set={(o) => change({ ignore_outliers: o })} />
              )}
            </div>
          )}
          {narrow && <Words label="Only runs that fit" value={fits} placeholder="params.model = 'cnn'" onChange={setFits} />}
          <Words label="Title" value={spec.title} placeholder="made from what it shows" onChange={(t) => change({ title: t })} />
          <Words label="Section of the page" value={section} placeholder="Chosen" onChange={setSection} />
        </div>
        <div className="stack">
          <ChartView
            spec={spec}
            of={within(of, { ...of, runs: [], experiment: null, filter: fits || null })}
            level={3}
            height={300}
          />
          {children}
          <div className="row right">
            <button type="button" className="btn" onClick={onClose}>
              Cancel
            </button>
            <button type="submit" className="btn primary" disabled={busy}>
              {verb}
            </button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}

interface OneProps {
  label: string;
  all: [string, string][];
  value: string;
  /** What an empty choice is called; none: one must choose. */
  none?: string;
  choose: (value: string) => void;
}

export function One({ label, all, value, none, choose }: OneProps) {
  return (
    <label className="field">
      {label}
      <select value={value} onChange={(e) => choose(e.target.value)}>
        {(none !== undefined || value === '') && <option value="">{none ?? 'Choose…'}</option>}
        {value !== '' && !all.some(([v]) => v === value) && <option value={value}>{value}</option>}
        {all.map(([v, name]) => (
          <option key={v} value={v}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Several({
  label,
  all,
  chosen,
  choose,
}: {
  label: string;
  all: [string, string][];
  chosen: string[];
  choose: (all: string[]) => void;
}) {
  const name = (value: string) => all.find(([v]) => v === value)?.[1] ?? value;
  return (
    <fieldset className="field">
      <legend>{label}</legend>
      <div className="row">
        {chosen.map((value) => (
          <button
            key={value}
            type="button"
            className="chip"
            onClick={() => choose(chosen.filter((c) => c !== value))}
            aria-label={`Take out ${name(value)}`}
          >
            {name(value)} <span aria-hidden="true">×</span>
          </button>
        ))}
        <select aria-label={`Add to ${label.toLowerCase()}`} value="" onChange={(e) => choose([...chosen, e.target.value])}>
          <option value="">Add…</option>
          {all
            .filter(([v]) => !chosen.includes(v))
            .map(([v, n]) => (
              <option key={v} value={v}>
                {n}
              </option>
            ))}
        </select>
      </div>
    </fieldset>
  );
}

function Words({
  label,
  value,
  placeholder,
  onChange,
}: {
  label: string;
  value: string;
  placeholder?: string;
  onChange: (v: string) => void;
}) {
  return (
    <label className="field">
      {label}
      <input type="text" value={value} placeholder={placeholder} onChange={(e) => onChange(e.target.value)} />
    </label>
  );
}

function Tick({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label className="row small">
      <input type="checkbox" className="tick" checked={on} onChange={(e) => set(e.target.checked)} />
      {label}
    </label>
  );
}

/** How much a curve is smoothed. */
export function Smooth({
  spec,
  change,
}: {
  spec: Pick<ChartSpec, 'smoothing' | 'amount'>;
  change: (next: Partial<ChartSpec>) => void;
}) {
  const mean = spec.smoothing === 'mean';
  return (
    <div className="row small smooth">
      <label className="row">
        Smooth
        <select
          style={{ width: 'auto' }}
          value={spec.smoothing}
          onChange={(e) => {
            const smoothing = e.target.value as ChartSpec['smoothing'];
            change({ smoothing, amount: smoothing === 'mean' ? 10 : smoothing === 'exponential' ? 0.6 : 0 });
          }}
        >
          <option value="none">not</option>
          <option value="exponential">exponentially</option>
          <option value="mean">by the mean of points</option>
        </select>
      </label>
      {spec.smoothing !== 'none' && (
        <label className="row">
          <span className="sr">How much</span>
          <input
            type="range"
            min={mean ? 2 : 0}
            max={mean ? 500 : 0.99}
            step={mean ? 1 : 0.01}
            value={spec.amount}
            onChange={(e) => change({ amount: Number(e.target.value) })}
          />
          {mean ? `${spec.amount} points` : spec.amount}
        </label>
      )}
    </div>
  );
}
