import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Monitor } from '../../host/commands.gen';
import { Badge, Empty, Failed, lower, Time, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { ChooseParty, type Party } from '../../parts/party';
import { Term } from '../../parts/term';
import { BothChanged } from '../../parts/versions';
import { usePeople } from '../comment/threads';
import { Delete } from '../record/delete';

/** One table: what can be watched, in plain words, with an example of what to measure. */
const WATCHED: [string, string, string][] = [
  ['inputs', 'Inputs keep to what is expected', 'Share of rows with a missing age'],
  ['drift', 'Data look as they did in training', 'PSI of the age, weekly'],
  ['staleness', 'The model and its data are fresh enough', 'Days since the last training'],
  ['numeric_stability', 'No NaN, no infinity, nothing out of range', 'Scores that are NaN, per day'],
  ['quality', 'Predictions are as good as they were', 'Recall against the labels that came in'],
  ['dependencies', 'What the model depends on has not changed', 'Changes of the upstream table, per week'],
  ['skew', 'Features are alike in training and service', 'Share of features that differ'],
  ['performance', 'It answers fast enough', '95th percentile of the answer, in ms'],
];

const STATES: Record<string, [string, Tone]> = {
  silent: ['○ No value yet', 'plain'],
  overdue: ['◷ Overdue', 'warn'],
  alarm: ['⚠ Beyond its threshold', 'bad'],
  good: ['✓ Well', 'good'],
};

/** What is watched in operation, and what was seen last. */
export function Monitors({ project }: { project: string }) {
  const all = useCommand('monitor.list', { project });
  const [editing, edit] = useState<Monitor | 'new' | null>(null);
  const [reporting, report] = useState<Monitor | null>(null);
  if (!all.data) return all.error ? <Failed error={all.error} /> : <Waiting />;
  const open = WATCHED.slice(0, 6).filter(([id]) => !all.data.some((m) => m.watch === id));
  return (
    <section className="stack" aria-labelledby="monitors">
      <div className="row between">
        <h2 id="monitors">
          <Term word="monitor">Monitors</Term>
        </h2>
        <button type="button" className="btn" onClick={() => edit('new')}>
          Plan a monitor
        </button>
      </div>
      {all.data.length === 0 ? (
        <div className="card">
          <Empty title="Nothing is watched yet">
            Say what is measured in operation, from which value on somebody is told, and how. A job in the pipeline, or a person,
            reports the values.
          </Empty>
        </div>
      ) : (
        <>
          {all.data.map((m) => (
            <MonitorCard key={m.id} monitor={m} edit={() => edit(m)} report={() => report(m)} />
          ))}
          {open.length > 0 && <p className="small muted">Not watched yet: {open.map(([, label]) => lower(label)).join('; ')}.</p>}
        </>
      )}
      {editing && <Edit project={project} monitor={editing === 'new' ? undefined : editing} onClose={() => edit(null)} />}
      {reporting && <Report monitor={reporting} onClose={() => report(null)} />}
    </section>
  );
}

const said = (m: Monitor) => `${m.comparator === 'at_least' ? 'at least' : 'at most'} ${m.threshold}`;

function MonitorCard({ monitor: m, edit, report }: { monitor: Monitor; edit: () => void; report: () => void }) {
  const save = useAct('monitor.save');
  const [word, tone] = STATES[m.state] ?? [m.state, 'plain'];
  const subject = { kind: 'monitor', id: m.id };
  return (
    <article className="card stack" aria-label={`Monitor: ${m.metric}`}>
      <div className="row between">
        <h3>{m.metric}</h3>
        <Badge tone={tone}>{word}</Badge>
      </div>
      <BothChanged
        versions={m.versions}
        keep={(text) => {
          const kept = m.choices[m.versions.findIndex((v) => v.value === text)];
          if (kept) save.mutate(kept);
        }}
      />
      <p>
        {m.reading ? (
          <>
            <strong>{m.reading.value}</strong> <Time ms={m.reading.at_ms} />
            {m.reading.source && ` from ${m.reading.source}`}, reported by {m.reading.by.name}.
          </>
        ) : (
          'Nobody and nothing has reported a value.'
        )}{' '}
        <span className="muted">
          All is well while it is {said(m)}. {WATCHED.find(([id]) => id === m.watch)?.[1]}.
        </span>
      </p>
      <p className="small muted">
        Beyond it, {m.owner.kind === 'role' ? `the ${lower(m.owner.label)}` : m.owner.label} is told: {m.route}. A value is
        expected {m.every_days === 1 ? 'every day' : `every ${m.every_days} days`}.
      </p>
      <div className="row">
        <button type="button" className="btn" onClick={report}>
          Report a value<span className="sr"> of {m.metric}</span>
        </button>
        <button type="button" className="btn plain" onClick={edit}>
          Change<span className="sr"> {m.metric}</span>
        </button>
        <Delete subject={subject} said={`"${m.metric}"`} name={m.metric} />
      </div>
      <Failed error={save.error} />
    </article>
  );
}

function Edit({ project, monitor: m, onClose }: { project: string; monitor?: Monitor; onClose: () => void }) {
  const save = useAct('monitor.save');
  const people = usePeople();
  // What was shown when the writing began, so that an edit of somebody else that comes meanwhile is not taken for known.
  const [base] = useState(m?.base);
  const [watch, setWatch] = useState(m?.watch ?? 'inputs');
  const [metric, setMetric] = useState(m?.metric ?? '');
  const [comparator, setComparator] = useState(m?.comparator ?? 'at_most');
  const [threshold, setThreshold] = useState(m?.threshold ?? '');
  const [owner, setOwner] = useState<Party | null>(
    m ? { kind: m.owner.kind, id: m.owner.id } : { kind: 'role', id: 'ml_engineer' },
  );
  const [route, setRoute] = useState(m?.route ?? '');
  const [days, setDays] = useState(String(m?.every_days ?? 7));
  const example = WATCHED.find(([id]) => id === watch)?.[2] ?? '';
  return (
    <Dialog open onClose={onClose} title={m ? `Change the monitor “${m.metric}”` : 'Plan a monitor'}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (!owner) return;
          const every_days = Number.parseInt(days, 10) || 0;
          const plan = { project, watch, metric, comparator, threshold, owner, route, every_days };
          save.mutate({ ...plan, monitor: m?.id, base }, { onSuccess: onClose });
        }}
      >
        <label className="field">
          What is watched
          <select value={watch} onChange={(e) => setWatch(e.target.value)}>
            {WATCHED.map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          What is measured
          <input type="text" required value={metric} placeholder={example} onChange={(e) => setMetric(e.target.value)} />
        </label>
        <div className="row">
          <label className="field">
            All is well while it is
            <select value={comparator} onChange={(e) => setComparator(e.target.value)}>
              <option value="at_most">at most</option>
              <option value="at_least">at least</option>
            </select>
          </label>
          <label className="field">
            Threshold
            <input
              type="text"
              inputMode="decimal"
              required
              value={threshold}
              placeholder="0.2"
              onChange={(e) => setThreshold(e.target.value)}
            />
          </label>
          <label className="field">
            A value comes every … days
            <input type="text" inputMode="numeric" size={4} required value={days} onChange={(e) => setDays(e.target.value)} />
          </label>
        </div>
        <ChooseParty
          label="Who answers for it"
          value={owner}
          members={people.members}
          roles={people.roles}
          choose={setOwner}
          nobody="choose somebody"
        />
        <label className="field">
          How they are told
          <input
            type="text"
            required
            value={route}
            placeholder="#ml-alarms, and a call at night"
            onChange={(e) => setRoute(e.target.value)}
          />
        </label>
        <Failed error={save.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={save.isPending || !owner}>
            Save the monitor
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Report({ monitor: m, onClose }: { monitor: Monitor; onClose: () => void }) {
  const report = useAct('monitor.report');
  const [value, setValue] = useState('');
  const [source, setSource] = useState(m.reading?.source ?? '');
  return (
    <Dialog open onClose={onClose} title={`Report a value of “${m.metric}”`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          report.mutate({ monitor: m.id, value, source }, { onSuccess: onClose });
        }}
      >
        <label className="field">
          Value, as it was seen just now
          <input type="text" inputMode="decimal" required value={value} onChange={(e) => setValue(e.target.value)} />
          <span className="hint">All is well while it is {said(m)}.</span>
        </label>
        <label className="field">
          Where it comes from
          <input type="text" value={source} placeholder="The weekly report" onChange={(e) => setSource(e.target.value)} />
        </label>
        <p className="small muted">
          A job reports it with <code>{`cairn call monitor.report '{"monitor": "${m.id}", "value": "…", "source": "…"}'`}</code>
        </p>
        <Failed error={report.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={report.isPending}>
            Report it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
