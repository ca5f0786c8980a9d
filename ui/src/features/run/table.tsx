import { Link, useNavigate } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, Pin, PinOff, Ruler } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useCommand, useCommands } from '../../host/cache';
import type { RunRow } from '../../host/commands.gen';
import { Badge, Empty, Failed, Num, State, short, Time, Waiting } from '../../parts/bits';
import { Word } from '../../parts/term';
import { difference, setBaseline, useBaseline } from '../chart/baseline';
import { Columns, Edge } from './columns';
import { FilterField } from './filter';
import { Groups } from './groups';
import { type Chosen, columnsOf, PLAIN, useTableState } from './state';
import { Tagging } from './tagging';
import { Views } from './views';

/** Rows are fetched by the hundred, where somebody looks: a table of a hundred thousand opens as fast as one of ten. */
const PAGE = 100;

export function RunTable({ project }: { project?: string }) {
  const [state, change] = useTableState(project ?? 'all');
  const [typed, type] = useState(state.filter);
  useEffect(() => type(state.filter), [state.filter]);
  const [picked, setPicked] = useState<RunRow[]>([]);
  const [choosing, setChoosing] = useState(false);
  const [tagging, setTagging] = useState(false);
  const base = useBaseline();
  const of = useMemo(() => new Map(base?.metrics.map((m) => [m.key, m.last])), [base]);
  const request = { project, filter: state.filter || undefined, order_by: state.order || undefined, limit: PAGE };
  const first = useCommand('run.page', { ...request, offset: 0 });
  const total = first.data?.total ?? 0;
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const virtual = useVirtualizer({ count: total, getScrollElement: () => box.current, estimateSize: () => 41, overscan: 12 });
  const seen = virtual.getVirtualItems();
  const pages = [...new Set(seen.map((item) => Math.floor(item.index / PAGE)))].filter((page) => page > 0);
  const more = useCommands(
    'run.page',
    pages.map((page) => ({ ...request, offset: page * PAGE })),
  );
  const rowAt = (index: number): RunRow | undefined => {
    const page = Math.floor(index / PAGE);
    const rows = page === 0 ? first.data?.rows : more[pages.indexOf(page)]?.data?.rows;
    return rows?.[index % PAGE];
  };
  const on = state.pinned.map((id) => `'${id}'`).join(', ');
  const pinned = useCommand('run.page', { filter: `run_id IN (${on})`, offset: 0, limit: 50 }, { enabled: on !== '' });
  const known = useMemo(() => columnsOf(first.data?.rows ?? []), [first.data]);
  const columns: Chosen = state.columns ?? known;
  const above = seen[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (seen[seen.length - 1]?.end ?? 0);
  const sort = (field: string) => change({ order: state.order === `${field} DESC` ? `${field} ASC` : `${field} DESC` });
  const arrow = (field: string) =>
    state.order === `${field} DESC` ? (
      <ArrowDown size={12} aria-label="largest first" />
    ) : state.order === `${field} ASC` ? (
      <ArrowUp size={12} aria-label="smallest first" />
    ) : null;
  const width = (key: string) => {
    const px = state.widths[key];
    return px === undefined ? undefined : { width: px, minWidth: px, maxWidth: px };
  };
  const heading = (key: string, label: React.ReactNode, name: string, field?: string, className?: string) => (
    <th key={key} className={className} style={width(key)} aria-sort={sorting(state.order, field)}>
      {field ? (
        <button type="button" onClick={() => sort(field)}>
          {label} {arrow(field)}
        </button>
      ) : (
        label
      )}
      <Edge label={name} width={state.widths[key]} onWidth={(px) => change({ widths: { ...state.widths, [key]: px } })} />
    </th>
  );
  const head = (
    <tr>
      <th>
        <span className="sr">Compare and pin</span>
      </th>
      {heading('run', 'Run', 'Run', 'run_name')}
      {heading('state', 'State', 'State')}
      {heading('started', 'Started', 'Started', 'start_time')}
      {heading('by', 'By', 'By')}
      {columns.metrics.map((m) => heading(`m${m}`, <Word>{m}</Word>, m, `metrics.\`${m}\``, 'num'))}
      {columns.params.map((p) => heading(`p${p}`, p, p, `params.\`${p}\``))}
      {columns.tags.map((t) => heading(`t${t}`, t, t, `tags.\`${t}\``))}
    </tr>
  );
  const span = 5 + columns.metrics.length + columns.params.length + columns.tags.length;
  const isPicked = (run: RunRow) => picked.some((p) => p.id === run.id);
  const row = (run: RunRow, index?: number, fixed = false) => (
    <tr
      key={fixed ? `pin-${run.id}` : run.id}
      aria-rowindex={index}
      className={fixed ? 'pick pinned' : 'pick'}
      onDoubleClick={() => void navigate({ to: '/runs/$run', params: { run: run.id } })}
    >
      <td>
        <span className="row tight">
          <input
            type="checkbox"
            className="tick"
            aria-label={`Compare ${run.name}`}
            checked={isPicked(run)}
            onChange={(e) => setPicked(e.target.checked ? [...picked, run] : picked.filter((p) => p.id !== run.id))}
          />
          <button
            type="button"
            className="btn icon plain"
            aria-label={state.pinned.includes(run.id) ? `Unpin ${run.name}` : `Pin ${run.name}`}
            title={state.pinned.includes(run.id) ? 'Let it go from the top' : 'Keep it on top'}
            onClick={() =>
              change({
                pinned: state.pinned.includes(run.id)
                  ? state.pinned.filter((id) => id !== run.id)
                  : [...state.pinned, run.id].slice(-50),
              })
            }
          >
            {state.pinned.includes(run.id) ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
          </button>
          <button
            type="button"
            className="btn icon plain"
            aria-label={`Measure all others by ${run.name}`}
            aria-pressed={base?.run.id === run.id}
            title={base?.run.id === run.id ? 'No baseline any more' : 'Baseline: measure all others by it'}
            onClick={() => setBaseline(base?.run.id === run.id ? '' : run.id)}
          >
            <Ruler size={14} aria-hidden />
          </button>
        </span>
      </td>
      <td style={width('run')}>
        <Link to="/runs/$run" params={{ run: run.id }}>
          {run.name}
        </Link>
        {base?.run.id === run.id && <Badge tone="accent">Baseline</Badge>}
      </td>
      <td style={width('state')}>
        <State state={run.status} />
      </td>
      <td style={width('started')}>
        <Time ms={run.start_ms} />
      </td>
      <td style={width('by')}>{run.by.name}</td>
      {columns.metrics.map((m) => (
        <td key={`m${m}`} className="num" style={width(`m${m}`)}>
          <Num value={run.metrics[m]} />
          {base && base.run.id !== run.id && <Beside by={difference(run.metrics[m], of.get(m))} />}
        </td>
      ))}
      {columns.params.map((p) => (
        <td key={`p${p}`} style={width(`p${p}`)} title={run.params[p]}>
          {run.params[p] ?? '–'}
        </td>
      ))}
      {columns.tags.map((t) => (
        <td key={`t${t}`} style={width(`t${t}`)} title={run.tags[t]}>
          {run.tags[t] ?? '–'}
        </td>
      ))}
    </tr>
  );
  const groupable = [
    'experiment',
    'status',
    'user',
    ...known.allParams.map((p) => `params.${p}`),
    ...known.allTags.map((t) => `tags.${t}`),
  ];
  return (
    <div className="stack">
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          change({ filter: typed });
        }}
      >
        <FilterField value={typed} onChange={type} onApply={(filter) => change({ filter })} />
        <button type="submit" className="btn">
          Filter
        </button>
        {state.filter && (
          <button type="button" className="btn" onClick={() => change({ filter: '' })}>
            Clear
          </button>
        )}
      </form>
      <div className="row">
        <Views project={project} state={state} show={(view) => change({ ...PLAIN, ...view })} />
        <select
          aria-label="Group the runs"
          style={{ width: 'auto', maxWidth: 220 }}
          value={state.group}
          onChange={(e) => change({ group: e.target.value })}
        >
          <option value="">No groups</option>
          {[...new Set([...groupable, ...(state.group ? [state.group] : [])])].map((g) => (
            <option key={g} value={g}>
              By {g.replace(/^params\./, '').replace(/^tags\./, 'tag ')}
            </option>
          ))}
        </select>
        <button type="button" className="btn" aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>
          Columns
        </button>
        <button type="button" className="btn" disabled={total === 0} onClick={() => setTagging(true)}>
          Tag…
        </button>
        <button
          type="button"
          className="btn"
          disabled={total < 2 || total > 300}
          title={total > 300 ? 'Narrow the filter to at most 300 runs, or choose some' : undefined}
          onClick={() =>
            void navigate({ to: '/compare', search: { project, filter: state.filter || undefined, all: 'yes' } as never })
          }
        >
          Compare all
        </button>
        <small className="muted">
          {total.toLocaleString('en')} {total === 1 ? 'run' : 'runs'}
        </small>
      </div>
      {picked.length > 0 && (
        <section className="card row between chosen" aria-label="Chosen runs">
          <span>{picked.length === 1 ? `${picked[0]?.name} is chosen` : `${picked.length} runs are chosen`}</span>
          <div className="row">
            <button
              type="button"
              className="btn primary"
              onClick={() => void navigate({ to: '/compare', search: { runs: picked.map((p) => p.id).join(',') } as never })}
            >
              Compare
            </button>
            <button type="button" className="btn" onClick={() => setPicked([])}>
              Choose none
            </button>
          </div>
        </section>
      )}
      {choosing && (
        <Columns
          known={known}
          columns={columns}
          choose={(next) => change({ columns: next })}
          reset={() => change({ columns: null, widths: {} })}
        />
      )}
      <Failed error={first.error} />
      {!first.data && !first.error && <Waiting lines={8} />}
      {first.data && !first.error && total === 0 && (
        <div className="card">
          {state.filter ? (
            <Empty title="No run fits the filter">Change the filter, or clear it to see all runs.</Empty>
          ) : (
            <Empty title="No runs yet">When a training script logs to this computer, its runs appear here while it trains.</Empty>
          )}
        </div>
      )}
      {total > 0 && state.group !== '' && (
        <Groups
          project={project}
          filter={state.filter}
          order={state.order}
          by={state.group}
          metrics={columns.metrics}
          head={head}
          row={(run) => row(run)}
          span={span}
        />
      )}
      {total > 0 && state.group === '' && (
        <section className="card flush vtable" ref={box} tabIndex={0} aria-label="Runs">
          <table aria-rowcount={total}>
            <thead>{head}</thead>
            <tbody>
              {on !== '' && pinned.data?.rows.map((run) => row(run, undefined, true))}
              {above > 0 && (
                <tr>
                  <td style={{ height: above, padding: 0 }} />
                </tr>
              )}
              {seen.map((item) => {
                const run = rowAt(item.index);
                if (run) return row(run, item.index + 1);
                return (
                  <tr key={`wait-${item.index}`} aria-rowindex={item.index + 1}>
                    <td colSpan={span} className="muted">
                      …
                    </td>
                  </tr>
                );
              })}
              {below > 0 && (
                <tr>
                  <td style={{ height: below, padding: 0 }} />
                </tr>
              )}
            </tbody>
          </table>
        </section>
      )}
      {tagging && (
        <Tagging runs={picked} project={project} filter={state.filter} total={total} onClose={() => setTagging(false)} />
      )}
    </div>
  );
}

/** How far a value is from the baseline's. */
function Beside({ by }: { by: number | null }) {
  if (by === null) return null;
  return (
    <span className="small muted beside">
      {by > 0 ? '+' : '−'}
      {short(String(Math.abs(by)))}
    </span>
  );
}

function sorting(order: string, field: string | undefined): 'ascending' | 'descending' | undefined {
  if (!field) return undefined;
  return order === `${field} ASC` ? 'ascending' : order === `${field} DESC` ? 'descending' : undefined;
}
