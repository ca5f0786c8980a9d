import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { ComparedMetric, ComparedRow, Comparison, RunSet } from '../../host/commands.gen';
import { Badge, Empty, Failed, Say, State, short, Time, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';
import { setBaseline, useBaseline } from '../chart/baseline';
import { ALL_RUNS, metricColumn, PLAIN, paramColumn } from '../chart/spec';
import { Together } from '../chart/sync';
import { ChartView } from '../chart/view';
import { FileLook } from '../run/files';
import { duration } from '../run/run';

/** What the address of the page says. */
interface Address {
  runs?: string;
  project?: string;
  filter?: string;
  baseline?: string;
  metric?: string;
  better?: 'higher' | 'lower';
  tab?: string;
  /** All runs that fit, not some that were chosen. */
  all?: string;
}

const TABS = [
  ['metrics', 'Metrics'],
  ['charts', 'Charts'],
  ['params', 'Parameters and tags'],
  ['code', 'Code'],
  ['environment', 'Environment'],
  ['data', 'Data'],
  ['files', 'Files'],
] as const;

export function CompareScreen() {
  const address: Address = useSearch({ strict: false });
  const navigate = useNavigate();
  const [all, setAll] = useState(false);
  const ids = address.runs?.split(',').filter(Boolean) ?? [];
  const of: RunSet = { ...ALL_RUNS, runs: ids, project: address.project ?? null, filter: address.filter ?? null };
  const nothing = ids.length === 0 && !address.all;
  const mine = useBaseline()?.run.id;
  // The baseline of this person, where it is among the runs.
  const baseline = address.baseline ?? (mine && ids.includes(mine) ? mine : undefined);
  const found = useCommand(
    'run.compare',
    { of, baseline, metric: address.metric, better: address.better ?? 'unsaid' },
    { enabled: !nothing },
  );
  const measure = (run: string) => {
    setBaseline(run);
    go({ baseline: run });
  };
  const go = (next: Address) => void navigate({ to: '/compare', search: { ...address, ...next } as never, replace: true });
  if (nothing)
    return (
      <div className="page">
        <h1>Compare runs</h1>
        <Empty title="No runs are chosen">Mark some in the table of runs, then choose Compare.</Empty>
      </div>
    );
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={10} />;
  const c = found.data;
  const tab = address.tab ?? 'metrics';
  const without = (run: string) => c.runs.map((r) => r.id).filter((id) => id !== run);
  const head = (
    <tr>
      <th>
        <span className="sr">Name</span>
      </th>
      {c.runs.map((r) => (
        <th key={r.id}>
          <Link to="/runs/$run" params={{ run: r.id }}>
            {r.name}
          </Link>
          <div className="row tight small">
            {r.id === c.baseline ? (
              <Badge tone="accent">Baseline</Badge>
            ) : (
              <button type="button" className="btn plain" onClick={() => measure(r.id)}>
                Measure by<span className="sr"> {r.name}</span>
              </button>
            )}
            {c.runs.length > 2 && (
              <button
                type="button"
                className="btn plain"
                aria-label={`Take ${r.name} out`}
                title="Take it out"
                onClick={() =>
                  go({
                    runs: without(r.id).join(','),
                    all: undefined,
                    filter: undefined,
                    project: undefined,
                    baseline: r.id === address.baseline ? undefined : address.baseline,
                  })
                }
              >
                ×
              </button>
            )}
          </div>
        </th>
      ))}
    </tr>
  );
  return (
    <div className="page wide">
      <h1>{c.runs.length === 1 ? 'One run' : `Compare ${c.runs.length} runs`}</h1>
      <section className="card stack" aria-label="Verdict">
        <p className="verdict">{c.verdict}</p>
        {c.certainty && <Say tone={c.sure ? 'good' : 'warn'}>{c.certainty}</Say>}
        <div className="row small">
          <label className="row">
            Decided by
            <select value={c.metric ?? ''} onChange={(e) => go({ metric: e.target.value, better: undefined })}>
              {!c.metric && <option value="">–</option>}
              {c.metrics.map((m) => (
                <option key={m.name}>{m.name}</option>
              ))}
            </select>
          </label>
          {c.metric && (
            <label className="row">
              Better is
              <select
                value={c.metrics.find((m) => m.name === c.metric)?.better ?? ''}
                onChange={(e) => go({ metric: c.metric ?? undefined, better: e.target.value as Address['better'] })}
              >
                {c.metrics.find((m) => m.name === c.metric)?.better === '' && <option value="">not known</option>}
                <option value="higher">higher</option>
                <option value="lower">lower</option>
              </select>
            </label>
          )}
          <label className="row">
            Measured by
            <select value={c.baseline} onChange={(e) => measure(e.target.value)}>
              {c.runs.map((r) => (
                <option key={r.id} value={r.id}>
                  {r.name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </section>
      <nav className="tabs" aria-label="Parts of the comparison">
        {TABS.map(([key, label]) => (
          <Link
            key={key}
            to="/compare"
            search={{ ...address, tab: key } as never}
            activeOptions={{ exact: true, includeSearch: true }}
            data-status={key === tab ? 'active' : undefined}
            aria-current={key === tab ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {tab !== 'charts' && (
        <label className="row small">
          <input type="checkbox" className="tick" checked={!all} onChange={(e) => setAll(!e.target.checked)} />
          Only what differs
        </label>
      )}
      {tab === 'metrics' && <Metrics c={c} head={head} all={all} />}
      {tab === 'charts' && <Charts c={c} of={of} measure={(run) => measure(run || c.baseline)} />}
      {tab === 'params' && (
        <>
          <Rows title="Parameters" rows={c.params} head={head} all={all} same="All runs have the same parameters." />
          <Rows title="Tags" rows={c.tags} head={head} all={all} same="No tags differ." />
        </>
      )}
      {tab === 'code' && <Code c={c} head={head} all={all} />}
      {tab === 'environment' && (
        <>
          <Rows
            title="Environment"
            rows={c.environment}
            head={head}
            all={all}
            same="All runs ran in the same environment, as far as it is known."
          />
          <Rows
            title="Packages of different versions"
            rows={c.packages}
            head={head}
            all
            same="No package differs, as far as the lists are here."
          />
        </>
      )}
      {tab === 'data' && (
        <Rows
          title="Data"
          rows={c.data}
          head={head}
          all={all}
          same="All runs used the same data, as far as their scripts said."
        />
      )}
      {tab === 'files' && <Files c={c} head={head} all={all} />}
      {c.notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
    </div>
  );
}

function Table({ label, head, children }: { label: string; head: React.ReactNode; children: React.ReactNode }) {
  return (
    <section className="card flush scroll side-by-side" aria-label={label} tabIndex={0}>
      <table>
        <thead>{head}</thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

interface Part {
  c: Comparison;
  head: React.ReactNode;
  all: boolean;
}

function Metrics({ c, head, all }: Part) {
  const shown = c.metrics.filter((m) => all || m.differs);
  return (
    <>
      {shown.length === 0 && <p className="muted">All metrics are equal.</p>}
      <Table label="Metrics" head={head}>
        <tr>
          <th scope="row">State</th>
          {c.runs.map((r) => (
            <td key={r.id}>
              <State state={r.status} />
            </td>
          ))}
        </tr>
        <tr>
          <th scope="row">Started</th>
          {c.runs.map((r) => (
            <td key={r.id}>
              <Time ms={r.start_ms} />
              {r.duration_ms !== null && r.duration_ms > 0 && <span className="muted"> · took {duration(r.duration_ms)}</span>}
            </td>
          ))}
        </tr>
        {shown.map((m) => (
          <tr key={m.name}>
            <th scope="row">
              <Term>{m.name}</Term>
              {m.better && <div className="small muted">{m.better} is better</div>}
            </th>
            {c.runs.map((r, i) => (
              <Measured key={r.id} metric={m} at={i} base={r.id === c.baseline} />
            ))}
          </tr>
        ))}
      </Table>
      {c.more_metrics > 0 && <p className="muted">and {c.more_metrics.toLocaleString('en')} more metrics.</p>}
    </>
  );
}

function Measured({ metric, at, base }: { metric: ComparedMetric; at: number; base: boolean }) {
  const last = metric.last[at] ?? undefined;
  const delta = metric.delta[at];
  const best = metric.best[at] ?? undefined;
  const good =
    typeof delta === 'number' && delta !== 0 && metric.better !== '' ? delta > 0 === (metric.better === 'higher') : null;
  return (
    <td className="num">
      <span title={last} className={metric.winners.includes(at) ? 'strong' : undefined}>
        {short(last)}
        {metric.winners.includes(at) && (metric.winners.length < metric.last.length ? ' ✓ best' : '')}
      </span>
      {!base && typeof delta === 'number' && delta !== 0 && (
        <div className={`small ${good === null ? 'muted' : good ? 'gain' : 'loss'}`}>
          {delta > 0 ? '▲ +' : '▼ −'}
          {short(String(Math.abs(delta)))}
          {good !== null && <span className="sr">{good ? ', better than the baseline' : ', worse than the baseline'}</span>}
        </div>
      )}
      {best !== undefined && best !== last && (
        <div className="small muted" title={best}>
          at best {short(best)}
        </div>
      )}
    </td>
  );
}

function Rows({
  title,
  rows,
  head,
  all,
  same,
}: {
  title: string;
  rows: ComparedRow[];
  head: React.ReactNode;
  all: boolean;
  same: string;
}) {
  const shown = rows.filter((r) => all || r.differs);
  return (
    <section className="stack">
      <h2>{title}</h2>
      {shown.length === 0 && (
        <p className="muted">{rows.length === 0 && title !== 'Packages of different versions' ? 'Nothing is known.' : same}</p>
      )}
      {shown.length > 0 && (
        <Table label={title} head={head}>
          {shown.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {row.values.map((value, i) => (
                <td key={i} className={row.differs && value !== row.values[0] ? 'mono other' : 'mono'}>
                  {value ?? '–'}
                </td>
              ))}
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Charts({ c, of, measure }: { c: Comparison; of: RunSet; measure: (run: string) => void }) {
  const runs: RunSet = { ...of, runs: c.runs.map((r) => r.id), filter: null, project: null };
  const found = useCommand('chart.browse', { of: runs });
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={8} />;
  const curves = found.data.metrics.filter((m) => m.points > 1);
  const differ = c.params.filter((p) => p.differs).map((p) => paramColumn(p.name));
  const metric = c.metric;
  return (
    <Together>
      <div className="charts">
        {metric && (
          <ChartView
            spec={{ ...PLAIN, kind: 'bars', metrics: [metric], title: metric, baseline: c.baseline }}
            of={runs}
            measure={measure}
          />
        )}
        {metric && differ.length > 0 && c.runs.length > 2 && (
          <ChartView spec={{ ...PLAIN, kind: 'parallel', columns: [...differ.slice(0, 6), metricColumn(metric)] }} of={runs} />
        )}
        {curves.slice(0, 60).map((m) => (
          <ChartView
            key={m.name}
            spec={{ ...PLAIN, metrics: [m.name], title: m.name, baseline: c.baseline }}
            of={runs}
            measure={measure}
          />
        ))}
      </div>
    </Together>
  );
}

function Code({ c, head, all }: Part) {
  const others = c.runs.filter((r) => r.id !== c.baseline);
  const [second, choose] = useState('');
  const other = others.find((r) => r.id === second) ?? others[0];
  const base = c.runs.find((r) => r.id === c.baseline);
  const diff = useCommand(
    'run.code_difference',
    { first: c.baseline, second: other?.id ?? c.baseline },
    { enabled: other !== undefined },
  );
  return (
    <>
      <Rows title="Code" rows={c.code} head={head} all={all} same="All runs ran the same code, as far as it is known." />
      {other && (
        <section className="stack">
          <label className="row">
            From {base?.name} to
            <select value={other.id} onChange={(e) => choose(e.target.value)}>
              {others.map((r) => (
                <option key={r.id} value={r.id}>
                  {r.name}
                </option>
              ))}
            </select>
          </label>
          <Failed error={diff.error} />
          {diff.data && !diff.data.commits && !diff.data.changes && (
            <p className="muted">{diff.data.why ?? 'Both ran the same code: the same commit, and nothing else that differs.'}</p>
          )}
          {diff.data?.commits && <Patch title="Between the commits" text={diff.data.commits} />}
          {diff.data?.why && diff.data.changes && <p className="muted">{diff.data.why}</p>}
          {diff.data?.changes && <Patch title="In what was not committed" text={diff.data.changes} />}
        </section>
      )}
    </>
  );
}

/** A patch with its lines coloured; the sign at the start of a line says the same. */
function Patch({ title, text }: { title: string; text: string }) {
  const kind = (line: string) => {
    if (line.startsWith('+++') || line.startsWith('---') || line.startsWith('diff ')) return 'strong';
    return line.startsWith('+') ? 'gain' : line.startsWith('-') ? 'loss' : line.startsWith('@@') ? 'muted' : undefined;
  };
  return (
    <section className="card">
      <h2>{title}</h2>
      <section className="look mono" tabIndex={0} aria-label={title}>
        {text.split('\n').map((line, i) => (
          <div key={i} className={kind(line)} style={{ whiteSpace: 'pre-wrap' }}>
            {line || ' '}
          </div>
        ))}
      </section>
    </section>
  );
}

function Files({ c, head, all }: Part) {
  const [open, show] = useState<string | null>(null);
  const digest = (text: string | null) => (text ? text.slice(0, 10) : null);
  const rows = c.files.map((f) => ({ ...f, values: f.values.map(digest) }));
  const shown = rows.filter((r) => all || r.differs);
  return (
    <>
      <Rows title="Files by fingerprint" rows={rows} head={head} all={all} same="All files are the same." />
      {shown.length > 0 && (
        <label className="row">
          Side by side:
          <select value={open ?? ''} onChange={(e) => show(e.target.value || null)}>
            <option value="">Choose a file…</option>
            {shown.map((r) => (
              <option key={r.name}>{r.name}</option>
            ))}
          </select>
        </label>
      )}
      {open && (
        <div className="charts">
          {c.runs.slice(0, 12).map((r, i) =>
            rows.find((f) => f.name === open)?.values[i] ? (
              <section key={r.id} className="card">
                <h2>{r.name}</h2>
                <FileLook run={r.id} path={open} />
              </section>
            ) : null,
          )}
        </div>
      )}
    </>
  );
}
