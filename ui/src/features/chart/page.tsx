import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ChartSpec, Panel, RunSet, SubjectRef } from '../../host/commands.gen';
import { Empty, Failed, Say, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';
import { alongOf, ChartEditor, columnsOf, One, Smooth } from './edit';
import { ALL_RUNS, metricColumn, PLAIN, paramColumn, within } from './spec';
import { Together } from './sync';
import { ChartView } from './view';

/** How the charts of a page look unless one says otherwise for itself; kept on this computer. */
interface Look {
  x: string;
  group: string;
  smoothing: ChartSpec['smoothing'];
  amount: number;
  log_y: boolean;
  experiment: string;
}
const AS_IT_IS: Look = { x: 'step', group: '', smoothing: 'none', amount: 0, log_y: false, experiment: '' };

function useLook(scope: string): [Look, (next: Partial<Look>) => void] {
  const name = `charts.${scope}`;
  const [look, set] = useState<Look>(() => {
    try {
      return { ...AS_IT_IS, ...(JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<Look>) };
    } catch {
      return AS_IT_IS;
    }
  });
  const change = (next: Partial<Look>) => {
    const whole = { ...look, ...next };
    set(whole);
    localStorage.setItem(name, JSON.stringify(whole));
  };
  return [look, change];
}

/** Charts of a section that stand there at once. */
const MANY = 60;

type Editing = { panel?: Panel; spec: ChartSpec; section: string } | null;

/** All metrics of some runs as charts, those that the team keeps first. */
export function ChartPage({ project, filter }: { project?: string; filter: string }) {
  const [look, change] = useLook(project ?? 'all');
  const [search, setSearch] = useState('');
  const [editing, edit] = useState<Editing>(null);
  const experiments = useCommand('experiment.list', {});
  const mine = experiments.data?.filter((e) => (!project || e.project === project) && e.runs > 0) ?? [];
  const experiment = mine.some((e) => e.id === look.experiment) ? look.experiment : '';
  const of: RunSet = { ...ALL_RUNS, project: project ?? null, experiment: experiment || null, filter: filter || null };
  const about: SubjectRef | undefined = experiment
    ? { kind: 'experiment', id: experiment }
    : project
      ? { kind: 'project', id: project }
      : undefined;
  const panels = useCommand('panel.list', { about });
  const there = useCommand('chart.browse', { of, search: search.trim() || undefined });
  const save = useAct('panel.save');
  const remove = useAct('record.delete');
  const toast = useToast();
  const kept = panels.data ?? [];
  const place = kept.reduce((most, p) => Math.max(most, p.place), 0) + 1;
  const base: ChartSpec = {
    ...PLAIN,
    x: look.x,
    group: look.group ? [look.group] : [],
    smoothing: look.smoothing,
    amount: look.amount,
    log_y: look.log_y,
  };
  const put = (spec: ChartSpec, section: string) =>
    save.mutate({ about, spec, of: ALL_RUNS, section, place }, { onSuccess: () => toast('The chart is kept for the team') });
  const keep = (panel: Panel, next: Partial<Panel>) =>
    save.mutate({
      panel: panel.id,
      spec: next.spec ?? panel.spec,
      of: panel.of,
      section: next.section ?? panel.section,
      place: next.place ?? panel.place,
      base: panel.base,
    });
  const move = (panel: Panel, by: -1 | 1) => {
    const row = kept.filter((p) => p.section === panel.section);
    const at = row.findIndex((p) => p.id === panel.id);
    const beside = row[at + by];
    if (!beside) return;
    const beyond = row[at + 2 * by];
    // Between its new neighbours: nobody else's place changes.
    keep(panel, { place: beyond ? (beside.place + beyond.place) / 2 : beside.place + by });
  };
  const drop = (panel: Panel) => {
    const subject = { kind: 'panel', id: panel.id };
    remove.mutate(
      { subject, restore: false },
      { onSuccess: () => toast('The chart is off the page', () => remove.mutate({ subject, restore: true })) },
    );
  };
  const all = there.data;
  const curves = all?.metrics.filter((m) => m.points > 1) ?? [];
  const single = all?.metrics.filter((m) => m.points <= 1) ?? [];
  const sections = new Map<string, string[]>();
  for (const m of curves) {
    const slash = m.name.lastIndexOf('/');
    const name = slash > 0 ? m.name.slice(0, slash) : 'Metrics';
    sections.set(name, [...(sections.get(name) ?? []), m.name]);
  }
  const differ = all?.params.filter((p) => p.values > 1) ?? [];
  const target = all?.target;
  const chosen = new Map<string, Panel[]>();
  for (const p of kept) chosen.set(p.section || 'Chosen', [...(chosen.get(p.section || 'Chosen') ?? []), p]);
  return (
    <Together>
      <div className="stack">
        <div className="row chart-controls">
          {mine.length > 1 && (
            <One
              label="Experiment"
              all={mine.map((e) => [e.id, e.name])}
              value={experiment}
              none="all"
              choose={(e) => change({ experiment: e })}
            />
          )}
          <One label="Along" all={alongOf(curves)} value={look.x} choose={(x) => change({ x: x || 'step' })} />
          <One
            label="Bring together"
            all={columnsOf(all).filter(([v]) => !v.includes('metrics.'))}
            value={look.group}
            none="each run alone"
            choose={(group) => change({ group })}
          />
          <Smooth spec={look} change={(next) => change(next as Partial<Look>)} />
          <label className="row small">
            <input type="checkbox" className="tick" checked={look.log_y} onChange={(e) => change({ log_y: e.target.checked })} />
            Logarithmic
          </label>
          <button type="button" className="btn" onClick={() => edit({ spec: base, section: '' })}>
            New chart…
          </button>
        </div>
        <input
          type="search"
          aria-label="Find a metric"
          placeholder="Find a metric, for example: val loss"
          value={search}
          onChange={(e) => setSearch(e.target.value)}
        />
        <Failed error={there.error ?? panels.error ?? save.error ?? remove.error} />
        {!all && !there.error && <Waiting lines={10} />}
        {all && all.runs === 0 && (
          <div className="card">
            <Empty title="No runs to draw">
              When a training script logs to this computer, its curves appear here while it trains.
            </Empty>
          </div>
        )}
        {search === '' &&
          [...chosen].map(([name, row]) => (
            <section key={`kept-${name}`} className="stack" aria-label={name}>
              <h2>
                {name} <small className="muted">kept for the team</small>
              </h2>
              <div className="charts">
                {row.map((p) =>
                  p.broken ? (
                    <div key={p.id} className="card stack">
                      <Say tone="warn">{p.broken} Update Cairn on this computer to see it.</Say>
                      <button type="button" className="btn" onClick={() => drop(p)}>
                        Take off the page
                      </button>
                    </div>
                  ) : (
                    <div key={`${p.id}/${p.saved_ms}`} className="stack">
                      {p.both_changed && (
                        <Say tone="warn">
                          Two people changed this chart at the same time; this is {p.by.name}’s.{' '}
                          <button type="button" className="btn" onClick={() => keep(p, {})}>
                            Keep this one
                          </button>
                        </Say>
                      )}
                      <ChartView
                        spec={p.spec}
                        of={within(of, p.of)}
                        level={3}
                        menu={
                          p.both_changed
                            ? []
                            : [
                                { label: 'Change…', run: () => edit({ panel: p, spec: p.spec, section: p.section }) },
                                { label: 'Move earlier', run: () => move(p, -1) },
                                { label: 'Move later', run: () => move(p, 1) },
                                { label: 'Take off the page', run: () => drop(p) },
                              ]
                        }
                      />
                    </div>
                  ),
                )}
              </div>
            </section>
          ))}
        {all && target && differ.length > 0 && search === '' && all.runs >= 10 && (
          <Section name="What leads where" count={4}>
            <ChartView
              spec={{
                ...PLAIN,
                kind: 'parallel',
                columns: [...differ.slice(0, 6).map((p) => paramColumn(p.name)), metricColumn(target)],
              }}
              of={of}
              level={3}
            />
            <ChartView spec={{ ...PLAIN, kind: 'importance', metrics: [target] }} of={of} level={3} />
            <ChartView
              spec={{
                ...PLAIN,
                kind: 'correlation',
                columns: [...differ.slice(0, 6).map((p) => paramColumn(p.name)), metricColumn(target)],
              }}
              of={of}
              level={3}
            />
            <ChartView spec={{ ...PLAIN, kind: 'histogram', x: metricColumn(target) }} of={of} level={3} />
          </Section>
        )}
        {[...sections].map(([name, metrics]) => (
          <Section key={name} name={name} count={metrics.length}>
            {metrics.map((metric) => (
              <ChartView
                key={metric}
                spec={{ ...base, metrics: [metric], title: metric }}
                of={of}
                level={3}
                menu={[
                  { label: 'Keep for the team', run: () => put({ ...base, metrics: [metric] }, '') },
                  { label: 'Change…', run: () => edit({ spec: { ...base, metrics: [metric] }, section: '' }) },
                ]}
              />
            ))}
          </Section>
        ))}
        {single.length > 0 && (
          <Section name="Measured once" count={single.length}>
            {single.map((m) => (
              <ChartView
                key={m.name}
                spec={{ ...PLAIN, kind: 'bars', metrics: [m.name], title: m.name, group: look.group ? [look.group] : [] }}
                of={of}
                level={3}
                legend={false}
              />
            ))}
          </Section>
        )}
        {all && all.metrics_total > all.metrics.length && (
          <p className="muted">
            {all.metrics.length.toLocaleString('en')} of {all.metrics_total.toLocaleString('en')} metrics are listed; search to
            see the others.
          </p>
        )}
        {all && all.runs > 0 && all.metrics_total === 0 && (
          <Empty title="No metric fits">Clear the search to see all of them.</Empty>
        )}
        {editing && (
          <ChartEditor
            spec={editing.spec}
            of={of}
            section={editing.section}
            narrow
            filter={editing.panel?.of.filter ?? ''}
            title={editing.panel ? 'Change this chart' : 'A new chart for this page'}
            verb="Keep for the team"
            busy={save.isPending}
            onClose={() => edit(null)}
            onSave={(spec, section, fits) => {
              const done = { onSuccess: () => edit(null) };
              const filter = fits || null;
              if (editing.panel) {
                const { id: panel, of, place, base } = editing.panel;
                save.mutate({ panel, spec, of: { ...of, filter }, section, place, base }, done);
              } else save.mutate({ about, spec, of: { ...ALL_RUNS, filter }, section, place }, done);
            }}
          >
            <Failed error={save.error} />
          </ChartEditor>
        )}
      </div>
    </Together>
  );
}

/** Charts under a heading that can be folded away; long sections come in parts. */
function Section({ name, count, children }: { name: string; count: number; children: React.ReactNode }) {
  const [shown, show] = useState(MANY);
  const all = Array.isArray(children) ? children : [children];
  return (
    <details className="chart-section" open>
      <summary>
        <h2>
          {name} <small className="muted">{count.toLocaleString('en')}</small>
        </h2>
      </summary>
      <div className="charts">{all.slice(0, shown)}</div>
      {all.length > shown && (
        <button type="button" className="btn" onClick={() => show(shown + MANY)}>
          Show more charts ({(all.length - shown).toLocaleString('en')} left)
        </button>
      )}
    </details>
  );
}
