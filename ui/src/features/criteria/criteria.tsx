import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { CriteriaPage, CriteriaSet, CriterionText, CriterionView } from '../../host/commands.gen';
import { Badge, Empty, Failed, lower, Say, short, Time, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Evidence } from '../../parts/record';
import { Term } from '../../parts/term';
import { useToast } from '../../parts/toast';

const PROOF: Record<string, [string, Tone]> = {
  unsigned: ['Not signed', 'warn'],
  untested: ['Signed, test data not opened', 'good'],
  before: ['✓ Signed before the test', 'good'],
  after: ['⚠ Signed after the test', 'bad'],
  unproven: ['⚠ Order not proven', 'warn'],
};
const VERDICT: Record<string, [string, Tone]> = {
  passed: ['✓ Passed', 'good'],
  failed: ['✕ Failed', 'bad'],
  inconclusive: ['? Inconclusive', 'warn'],
};

/** What the model must reach: stated and signed before anybody looks at the test data. */
export function Criteria({ project }: { project: string }) {
  const page = useCommand('criteria.list', { project });
  const [writing, write] = useState(false);
  if (page.error) return <Failed error={page.error} />;
  if (!page.data) return <Waiting />;
  const standing = page.data.sets.filter((s) => s.state === 'stands');
  const others = page.data.sets.filter((s) => s.state !== 'stands');
  return (
    <section className="stack" aria-labelledby="criteria">
      <div className="row between">
        <h2 id="criteria">
          <Term word="acceptance criterion">Acceptance criteria</Term>
        </h2>
        <button type="button" className={standing.length === 0 ? 'btn primary' : 'btn'} onClick={() => write(true)}>
          {standing.length === 0 ? 'Write the criteria' : 'Write them anew'}
        </button>
      </div>
      {standing.length === 0 && (
        <div className="card">
          <Empty title="No criteria for this cycle yet">
            Say what the model must reach before anybody looks at the test data, for example “recall at least 0.8 with 95 %
            confidence”. Then nobody can choose the bar by the result.
          </Empty>
        </div>
      )}
      {standing.length > 1 && (
        <Say tone="warn">
          <strong>Two sets stand beside each other:</strong> they were written without knowing of each other. Write one that
          replaces both.
        </Say>
      )}
      {standing.map((set) => (
        <SetCard key={set.id} set={set} />
      ))}
      {others.length > 0 && (
        <details>
          <summary>{others.length} earlier</summary>
          <div className="stack" style={{ marginTop: 8 }}>
            {others.map((set) => (
              <SetCard key={set.id} set={set} />
            ))}
          </div>
        </details>
      )}
      {writing && <WriteCriteria page={page.data} standing={standing} onClose={() => write(false)} />}
    </section>
  );
}

function SetCard({ set }: { set: CriteriaSet }) {
  const sign = useAct('criteria.sign');
  const toast = useToast();
  const [asking, ask] = useState(false);
  const [role, choose] = useState('');
  const [word, tone] = PROOF[set.proof] ?? [set.proof, 'plain'];
  const stands = set.state === 'stands';
  return (
    <article className="card stack" aria-label={`Criteria of cycle ${set.cycle}`}>
      <div className="row between">
        <small className="muted">
          Cycle {set.cycle} · written by {set.by.name} <Time ms={set.at_ms} />
        </small>
        <div className="row">
          {set.state === 'replaced' && <Badge>Replaced</Badge>}
          <Badge tone={tone}>{word}</Badge>
        </div>
      </div>
      <section className="scroll" aria-label="Criteria" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Must hold</th>
              <th scope="col">Test data</th>
              <th scope="col">Reached</th>
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            {set.criteria.map((c) => (
              <tr key={c.words + c.digest}>
                <td>{c.words}</td>
                <td title={c.digest}>{c.data || c.digest.slice(0, 12)}</td>
                <td title={c.said}>
                  <Interval c={c} />
                </td>
                <td>
                  {c.verdict ? (
                    <Badge tone={VERDICT[c.verdict]?.[1]}>{VERDICT[c.verdict]?.[0]}</Badge>
                  ) : (
                    <span className="muted small">{stands ? c.said : ''}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="small">
        {set.said} <Evidence links={set.runs} />
      </p>
      {set.signatures.length > 0 && (
        <ul className="list small">
          {set.signatures.map((s) => (
            <li key={s.by.id + s.role.id}>
              ✎ Signed by {s.by.name} as {lower(s.role.label)} <Time ms={s.at_ms} />
              {!s.fits && <Badge tone="bad">over something else; it does not count</Badge>}
            </li>
          ))}
        </ul>
      )}
      {stands && set.i_may_sign_as.length > 0 && (
        <div className="row">
          <button type="button" className="btn primary" onClick={() => ask(true)}>
            Sign these criteria…
          </button>
        </div>
      )}
      <Dialog open={asking} onClose={() => ask(false)} title="Sign the acceptance criteria">
        <p>You sign exactly this, with your name and the time. It cannot be changed afterwards, only replaced, and both stay.</p>
        <ul>
          {set.criteria.map((c) => (
            <li key={c.words + c.digest}>
              {c.words} on {c.data || c.digest}
            </li>
          ))}
        </ul>
        <p className="small muted mono">sha256 {set.digest}</p>
        <fieldset className="field choices">
          <legend>As</legend>
          {set.i_may_sign_as.map((r) => (
            <label key={r.id} className="check">
              <input
                type="radio"
                name="role"
                checked={(role || set.i_may_sign_as[0]?.id) === r.id}
                onChange={() => choose(r.id)}
              />
              {r.label}
            </label>
          ))}
        </fieldset>
        <Failed error={sign.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={() => ask(false)}>
            Cancel
          </button>
          <button
            type="button"
            className="btn primary"
            disabled={sign.isPending}
            onClick={() =>
              sign.mutate(
                { criteria: set.id, role: role || (set.i_may_sign_as[0]?.id ?? ''), digest: set.digest },
                {
                  onSuccess: () => {
                    ask(false);
                    toast('Signed.');
                  },
                },
              )
            }
          >
            Sign the criteria
          </button>
        </div>
      </Dialog>
    </article>
  );
}

/** A value with its interval, drawn beside its threshold, and in numbers. */
function Interval({ c }: { c: CriterionView }) {
  if (c.value === null) return <span className="muted">not yet</span>;
  const has = c.low !== null && c.high !== null;
  const limit = Number(c.threshold);
  const low = c.low ?? c.value;
  const high = c.high ?? c.value;
  const from = Math.min(low, limit, c.value);
  const span = Math.max(high, limit, c.value) - from || 1;
  const x = (v: number) => 6 + ((v - from) / span) * 108;
  const words = `${short(String(c.value))}${has ? ` (${short(String(low))} to ${short(String(high))})` : ''}${c.count ? `, n = ${short(String(c.count))}` : ''}`;
  return (
    <div>
      {has && (
        <svg
          width={120}
          height={14}
          role="img"
          aria-label={`The interval lies from ${low} to ${high}, the threshold at ${limit}`}
        >
          <line x1={x(low)} x2={x(high)} y1={7} y2={7} stroke="currentColor" strokeWidth={3} strokeLinecap="round" />
          <circle cx={x(c.value)} cy={7} r={4} fill="currentColor" />
          <line x1={x(limit)} x2={x(limit)} y1={1} y2={13} stroke="var(--accent)" strokeWidth={2} strokeDasharray="2 2" />
        </svg>
      )}
      <div className="small">{words}</div>
    </div>
  );
}

const NEW: CriterionText = { metric: '', slice: '', comparator: 'at_least', threshold: '', level: '95', data: '', digest: '' };

function WriteCriteria({ page, standing, onClose }: { page: CriteriaPage; standing: CriteriaSet[]; onClose: () => void }) {
  const write = useAct('criteria.write');
  const toast = useToast();
  const [first] = page.data;
  const [rows, setRows] = useState<CriterionText[]>(
    // Those of the cycle before are proposed again; they must be signed again.
    (standing[0] ?? page.sets.find((s) => s.state === 'past'))?.criteria.map((c) => ({
      metric: c.metric,
      slice: c.slice,
      comparator: c.comparator,
      threshold: c.threshold,
      level: String(Number((Number(c.level) * 100).toFixed(6))),
      data: c.data,
      digest: c.digest,
    })) ?? [{ ...NEW, digest: first?.digest ?? '', data: first?.name ?? '' }],
  );
  const change = (i: number, next: Partial<CriterionText>) => setRows(rows.map((r, j) => (j === i ? { ...r, ...next } : r)));
  return (
    <Dialog open onClose={onClose} title="What must the model reach?" className="wide">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          write.mutate(
            { project: page.project, criteria: rows, replaces: standing.map((s) => s.id) },
            {
              onSuccess: () => {
                onClose();
                toast('Written. Now they can be signed.');
              },
            },
          );
        }}
      >
        <p className="muted">
          The bound of the interval decides, not the number in the middle. A criterion for a group of people names it as
          column:value, for example age:over 80.
        </p>
        <datalist id="metrics">
          {page.metrics.map((m) => (
            <option key={m} value={m} />
          ))}
        </datalist>
        <datalist id="digests">
          {page.data.map((d) => (
            <option key={d.digest} value={d.digest}>
              {d.name}
            </option>
          ))}
        </datalist>
        {rows.map((row, i) => (
          <fieldset key={i} className="card stack">
            <legend className="sr">Criterion {i + 1}</legend>
            <div className="row">
              <label className="field" style={{ flex: '2 1 160px' }}>
                Metric
                <input
                  type="text"
                  list="metrics"
                  required
                  value={row.metric}
                  onChange={(e) => change(i, { metric: e.target.value })}
                  placeholder="recall"
                />
              </label>
              <label className="field">
                Must be
                <select value={row.comparator} onChange={(e) => change(i, { comparator: e.target.value })}>
                  <option value="at_least">at least</option>
                  <option value="at_most">at most</option>
                </select>
              </label>
              <label className="field" style={{ flex: '1 1 90px' }}>
                Threshold
                <input
                  type="text"
                  inputMode="decimal"
                  required
                  value={row.threshold}
                  onChange={(e) => change(i, { threshold: e.target.value })}
                  placeholder="0.8"
                />
              </label>
              <label className="field" style={{ flex: '1 1 90px' }}>
                Confidence, %
                <input
                  type="text"
                  inputMode="decimal"
                  required
                  value={row.level}
                  onChange={(e) => change(i, { level: e.target.value })}
                />
              </label>
            </div>
            <div className="row">
              <label className="field" style={{ flex: '1 1 160px' }}>
                For which group (empty: all)
                <input
                  type="text"
                  value={row.slice}
                  onChange={(e) => change(i, { slice: e.target.value })}
                  placeholder="age:over 80"
                />
              </label>
              <label className="field" style={{ flex: '2 1 220px' }}>
                Test data, by its digest
                <input
                  type="text"
                  list="digests"
                  required
                  value={row.digest}
                  onChange={(e) =>
                    change(i, { digest: e.target.value, data: page.data.find((d) => d.digest === e.target.value)?.name ?? '' })
                  }
                />
                <span className="hint">
                  {row.data || 'As the script names it in mlflow.log_input, or the sha256 of a dataset version.'}
                </span>
              </label>
              {rows.length > 1 && (
                <button type="button" className="btn plain" onClick={() => setRows(rows.filter((_, j) => j !== i))}>
                  Take away<span className="sr"> criterion {i + 1}</span>
                </button>
              )}
            </div>
          </fieldset>
        ))}
        <div className="row">
          <button
            type="button"
            className="btn"
            onClick={() => setRows([...rows, { ...NEW, digest: rows.at(-1)?.digest ?? '', data: rows.at(-1)?.data ?? '' }])}
          >
            Another criterion
          </button>
        </div>
        {standing.length > 0 && (
          <Say tone="warn">This replaces what stands. Signatures are not carried over; the old set stays in the history.</Say>
        )}
        <Failed error={write.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={write.isPending}>
            Write these criteria
          </button>
        </div>
      </form>
    </Dialog>
  );
}
