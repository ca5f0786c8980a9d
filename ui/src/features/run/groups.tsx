import { ChevronDown, ChevronRight } from 'lucide-react';
import { Fragment, useState } from 'react';
import { useCommand } from '../../host/cache';
import type { RunGroup, RunRow } from '../../host/commands.gen';
import { Empty, Failed, Num, Waiting } from '../../parts/bits';
import { Word } from '../../parts/term';
import { both } from './state';

interface Props {
  project?: string;
  filter: string;
  order: string;
  by: string;
  metrics: string[];
  /** A row as the table shows it. */
  row: (run: RunRow) => React.ReactNode;
  head: React.ReactNode;
  span: number;
}

/** Runs that have something in common, under one line each. */
export function Groups({ project, filter, order, by, metrics, row, head, span }: Props) {
  const [metric, setMetric] = useState(metrics[0] ?? '');
  const measured = metrics.includes(metric) ? metric : metrics[0];
  const found = useCommand('run.groups', { project, filter: filter || undefined, by, metric: measured });
  const [open, setOpen] = useState<string[]>([]);
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={8} />;
  const { groups, total } = found.data;
  if (groups.length === 0) return <Empty title="No run fits">Change the filter, or clear it to see all runs.</Empty>;
  const name = (g: RunGroup) => g.value ?? `without ${by.replace(/^(params|tags)\./, '')}`;
  return (
    <div className="stack">
      <div className="row">
        <small className="muted">
          {total.toLocaleString('en')} {total === 1 ? 'group' : 'groups'}
          {total > groups.length ? `, the largest ${groups.length} are shown` : ''}
        </small>
        {metrics.length > 0 && (
          <label className="row small">
            Summed up by
            <select style={{ width: 'auto' }} value={measured} onChange={(e) => setMetric(e.target.value)}>
              {metrics.map((m) => (
                <option key={m}>{m}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <section className="card flush vtable" tabIndex={0} aria-label="Runs in groups">
        <table>
          <thead>{head}</thead>
          <tbody>
            {groups.map((g) => {
              const key = name(g);
              const shown = open.includes(key);
              return (
                <Fragment key={key}>
                  <tr className="group">
                    <th scope="rowgroup" colSpan={span}>
                      <button
                        type="button"
                        aria-expanded={shown}
                        disabled={g.filter === null}
                        onClick={() => setOpen(shown ? open.filter((k) => k !== key) : [...open, key])}
                      >
                        {shown ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
                        {key}
                      </button>{' '}
                      <span className="muted">
                        {g.runs.toLocaleString('en')} {g.runs === 1 ? 'run' : 'runs'}
                        {measured && g.measured > 0 && (
                          <>
                            {' · '}
                            <Word>{measured}</Word> mean <Num value={g.mean ?? undefined} />
                            {g.measured > 1 && (
                              <>
                                , from <Num value={g.lowest ?? undefined} /> to <Num value={g.highest ?? undefined} />
                              </>
                            )}
                          </>
                        )}
                      </span>
                    </th>
                  </tr>
                  {shown && g.filter && (
                    <Members project={project} filter={both(filter, g.filter)} order={order} row={row} span={span} />
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </section>
    </div>
  );
}

/** Runs of a group that are shown at once. */
const PAGE = 100;

function Members(props: {
  project?: string;
  filter: string;
  order: string;
  row: (run: RunRow) => React.ReactNode;
  span: number;
}) {
  const { project, filter, order, row, span } = props;
  const page = useCommand('run.page', { project, filter, order_by: order || undefined, limit: PAGE, offset: 0 });
  const more = (page.data?.total ?? 0) - PAGE;
  return (
    <>
      {page.error && (
        <tr>
          <td colSpan={span}>
            <Failed error={page.error} />
          </td>
        </tr>
      )}
      {page.data?.rows.map(row)}
      {more > 0 && (
        <tr>
          <td colSpan={span} className="muted">
            and {more.toLocaleString('en')} more; narrow the filter to see them
          </td>
        </tr>
      )}
    </>
  );
}
