import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../host/cache';
import type { PortfolioRow } from '../host/commands.gen';
import { ago, Badge, Empty, Failed, lower, State, type Tone, Waiting } from '../parts/bits';
import { Html } from '../parts/html';
import { Due } from '../parts/party';
import { useTheme } from '../parts/theme';

const RISK: Record<string, [string, Tone]> = { low: ['Low', 'good'], medium: ['Medium', 'warn'], high: ['High', 'bad'] };
const RANK = ['', 'low', 'medium', 'high'];

/** One table: what the projects can be put in order by. */
const ORDERS: Record<string, [string, (a: PortfolioRow, b: PortfolioRow) => number]> = {
  wait: ['how long they wait', (a, b) => a.since_ms - b.since_ms],
  stage: ['stage', (a, b) => b.stage_number - a.stage_number],
  risk: ['risk', (a, b) => RANK.indexOf(b.risk) - RANK.indexOf(a.risk)],
  title: ['title', (a, b) => a.title.localeCompare(b.title)],
};

/** Where all projects stand: risk, value, state, whose turn it is, and what must be decided next. */
export function PortfolioScreen() {
  const all = useCommand('portfolio.list', {});
  const [words, setWords] = useState('');
  const [order, setOrder] = useState('wait');
  const [which, choose] = useState('running');
  if (all.error) return <Failed error={all.error} />;
  if (!all.data) return <Waiting lines={10} />;
  const fits = (p: PortfolioRow) =>
    (which === 'ended' ? p.ended !== null : p.ended === null) &&
    (which !== 'mine' || p.mine) &&
    (which !== 'turn' || p.my_turn) &&
    (which !== 'stuck' || p.blocked || p.overdue > 0 || p.high_findings > 0) &&
    `${p.title} ${p.stage_name} ${p.next} ${p.turn?.label ?? ''} ${p.with?.label ?? ''}`
      .toLowerCase()
      .includes(words.toLowerCase());
  const rows = all.data.filter(fits).sort(ORDERS[order]?.[1]);
  return (
    <div className="page">
      <h1>All projects</h1>
      <search className="row">
        <label className="field">
          Find
          <input
            type="search"
            value={words}
            onChange={(e) => setWords(e.target.value)}
            placeholder="A word of the title, or a role"
          />
        </label>
        <label className="field">
          Show
          <select value={which} onChange={(e) => choose(e.target.value)}>
            <option value="running">all that are running</option>
            <option value="mine">mine</option>
            <option value="turn">those where it is my turn</option>
            <option value="stuck">those that are stuck</option>
            <option value="ended">those that have ended</option>
          </select>
        </label>
        <label className="field">
          Order by
          <select value={order} onChange={(e) => setOrder(e.target.value)}>
            {Object.entries(ORDERS).map(([id, [label]]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </search>
      {all.data.length === 0 ? (
        <div className="card">
          <Empty title="No projects yet">A project begins with a business problem. Press N to state yours.</Empty>
        </div>
      ) : rows.length === 0 ? (
        <p className="muted">No project fits.</p>
      ) : (
        <section className="card flush scroll" aria-label="Projects" tabIndex={0}>
          <table>
            <caption className="sr">
              {rows.length} of {all.data.length} projects
            </caption>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Risk</th>
                <th scope="col">Value</th>
                <th scope="col">Stage</th>
                <th scope="col">Waits for</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, 300).map((p) => (
                <Row key={p.id} p={p} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {rows.length > 300 && <p className="muted">The first 300 of {rows.length} are shown; find the others by a word.</p>}
      <LeadTimes />
    </div>
  );
}

function Row({ p }: { p: PortfolioRow }) {
  const risk = RISK[p.risk];
  return (
    <tr>
      <th scope="row">
        <Link to="/projects/$project" params={{ project: p.id }}>
          {p.title}
        </Link>
        {p.cycle > 1 && <div className="small muted">Cycle {p.cycle}</div>}
      </th>
      <td>{risk ? <Badge tone={risk[1]}>{risk[0]}</Badge> : <span className="muted small">not decided</span>}</td>
      <td className="small">
        {p.value_metric || <span className="muted">not stated</span>}
        {p.success_date && (
          <div className="muted">
            <Due day={p.success_date} over={false} />
          </div>
        )}
      </td>
      <td>
        {p.stage_number}. {p.stage_name}
        <div className="small muted">since {ago(p.since_ms).replace(' ago', '')}</div>
      </td>
      <td className="small">
        {p.ended ? (
          ''
        ) : p.next ? (
          <>
            <strong>{p.my_turn ? 'You' : (p.with?.label ?? p.turn?.label)}</strong>: {lower(p.next)}
          </>
        ) : (
          'It can move on.'
        )}
      </td>
      <td>
        <div className="row">
          {p.ended && <Badge>{p.ended === 'completed' ? '✓ Completed' : '✕ Cancelled'}</Badge>}
          {p.blocked && <Badge tone="bad">■ Blocked</Badge>}
          {p.overdue > 0 && <Badge tone="bad">{p.overdue} overdue</Badge>}
          {p.high_findings > 0 && <Badge tone="bad">▲ {p.high_findings} high</Badge>}
          {p.open_findings > p.high_findings && <Badge tone="warn">{p.open_findings - p.high_findings} findings</Badge>}
          {p.release && <State state={p.release} />}
          {p.live && <Badge tone="good">● Live</Badge>}
        </div>
      </td>
    </tr>
  );
}

/** How long each stage takes, drawn. */
function LeadTimes() {
  const dark = useTheme() === 'dark';
  const times = useCommand('portfolio.lead_times', { width: 900, dark });
  if (times.error) return <Failed error={times.error} />;
  if (!times.data) return null;
  const t = times.data;
  const days = (v: number | null) =>
    v === null ? '–' : v < 1 ? 'under a day' : `${Math.round(v)} ${Math.round(v) === 1 ? 'day' : 'days'}`;
  return (
    <section className="card stack" aria-labelledby="lead">
      <h2 id="lead">How long each stage takes</h2>
      <p>{t.summary}</p>
      {t.svg && (
        <section className="scroll" aria-label={t.title} tabIndex={0}>
          <Html html={t.svg} />
        </section>
      )}
      <section className="scroll" aria-label="How long each stage takes, as a table" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Took, in the median</th>
              <th scope="col">Longest</th>
              <th scope="col">Are in it now</th>
              <th scope="col">Waits longest</th>
            </tr>
          </thead>
          <tbody>
            {t.stages.map((s) => (
              <tr key={s.stage}>
                <th scope="row">{s.name}</th>
                <td>
                  {days(s.median_days)} {s.ended > 0 && <span className="small muted">of {s.ended}</span>}
                </td>
                <td>{days(s.longest_days)}</td>
                <td>{s.now}</td>
                <td>{s.waiting_project ? `${s.waiting_project} (${days(s.waiting_days)})` : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
