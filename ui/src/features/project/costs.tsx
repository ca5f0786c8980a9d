import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ChartSpec, CostModel, ProblemForm } from '../../host/commands.gen';
import { Failed, Say, short, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';
import { ALL_RUNS, PLAIN } from '../chart/spec';
import { ChartView } from '../chart/view';

/** How often a model was right and wrong, in each direction. */
interface Matrix {
  right: number;
  alarms: number;
  misses: number;
  quiet: number;
}

/** What a thousand cases like these cost. */
export function costOf(costs: CostModel, m: Matrix): number {
  const all = m.right + m.alarms + m.misses + m.quiet;
  if (all === 0) return 0;
  const sum =
    m.right * (costs.true_positive ?? 0) + m.alarms * (costs.false_positive ?? 0) + m.misses * (costs.false_negative ?? 0);
  return (sum / all) * 1000;
}

/** Errors in money, over the score from which on the model says yes: owner and scientist choose it together. */
export function Costs({ form }: { form: ProblemForm }) {
  const { costs, project } = form;
  const runs = useCommand('run.page', { project, filter: "attributes.status = 'FINISHED'", offset: 0, limit: 50 });
  const [chosen, choose] = useState('');
  const told = costs.false_positive !== null && costs.false_negative !== null;
  if (!told)
    return (
      <Say tone="warn">
        First say what a false alarm and a miss cost in money, under{' '}
        <Link to="/projects/$project/$tab/$step" params={{ project, tab: 'problem', step: 'errors' }}>
          Errors
        </Link>
        . A rough guess is enough; you see at once what follows.
      </Say>
    );
  const run = chosen || runs.data?.rows[0]?.id || '';
  return (
    <>
      <p>
        A false alarm costs {money(costs, costs.false_positive)}, a miss {money(costs, costs.false_negative)}
        {costs.true_positive ? `, a right alarm ${money(costs, costs.true_positive)}` : ''}.
      </p>
      {runs.data && runs.data.rows.length > 0 && (
        <>
          <label className="field">
            Predictions of which run?
            <select value={run} onChange={(e) => choose(e.target.value)}>
              {runs.data.rows.map((r) => (
                <option key={r.id} value={r.id}>
                  {r.name}
                </option>
              ))}
            </select>
          </label>
          {run && <Drawn key={run} form={form} run={run} />}
        </>
      )}
      {!runs.data && <Waiting lines={3} />}
      <ByHand costs={costs} />
    </>
  );
}

function money(costs: CostModel, value: number | null): string {
  return `${short(String(Math.round((value ?? 0) * 100) / 100))} ${costs.currency}`.trim();
}

function specOf(costs: CostModel): ChartSpec {
  return {
    ...PLAIN,
    kind: 'cost',
    costs: {
      currency: costs.currency,
      false_positive: costs.false_positive ?? 0,
      false_negative: costs.false_negative ?? 0,
      true_positive: costs.true_positive ?? 0,
      true_negative: 0,
      threshold: costs.threshold.value === '' ? null : Number(costs.threshold.value.replace(',', '.')),
    },
  };
}

function Drawn({ form, run }: { form: ProblemForm; run: string }) {
  const { costs, project } = form;
  const spec = specOf(costs);
  const of = { ...ALL_RUNS, runs: [run] };
  const values = useCommand('chart.values', { spec, of, width: 640, height: 260, dark: false });
  const answer = useAct('problem.answer');
  const toast = useToast();
  const agreed = Number(costs.threshold.value.replace(',', '.') || Number.NaN);
  const [at, move] = useState<number | null>(null);
  const [reason, setReason] = useState(costs.threshold_reason.value);
  if (values.error)
    return (
      <Say tone="warn">
        {values.error.message.replace(/\.$/, '')}. {values.error.hint} Until then you can try numbers below.
      </Say>
    );
  if (!values.data) return <Waiting lines={6} />;
  const rows = values.data.table.rows.map((r) => ({
    from: Number(r[1]),
    right: Number(r[2]),
    alarms: Number(r[3]),
    misses: Number(r[4]),
    quiet: Number(r[5]),
    cost: Number(r[6]),
  }));
  const best = rows.reduce(
    (a, b) => (b.cost < a.cost ? b : a),
    rows[0] ?? { from: 0.5, right: 0, alarms: 0, misses: 0, quiet: 0, cost: 0 },
  );
  const from = at ?? (Number.isNaN(agreed) ? best.from : agreed);
  const shown = rows.reduce((a, b) => (Math.abs(b.from - from) < Math.abs(a.from - from) ? b : a), best);
  const save = () =>
    answer.mutate(
      { project, question: 'threshold', value: String(from), base: costs.threshold.base ?? undefined },
      {
        onSuccess: () =>
          answer.mutate(
            { project, question: 'threshold_reason', value: reason, base: costs.threshold_reason.base ?? undefined },
            { onSuccess: () => toast(`Agreed: it says yes from ${from} on.`) },
          ),
      },
    );
  const month = costs.cases_per_month;
  return (
    <div className="stack">
      <ChartView spec={spec} of={of} height={240} level={3} legend={false} />
      <label className="field">
        It says yes from a score of <output className="mono">{from.toFixed(2)}</output> on
        <input type="range" min={0} max={1} step={0.01} value={from} onChange={(e) => move(Number(e.target.value))} />
      </label>
      <Money costs={costs} m={shown} />
      <p aria-live="polite">
        That costs <strong>{money(costs, shown.cost)}</strong> for 1,000 cases
        {month ? `, ${money(costs, (shown.cost / 1000) * month)} a month` : ''}. The least would be {money(costs, best.cost)},
        from {best.from.toFixed(2)} on.
        {from !== best.from && (
          <>
            {' '}
            <button type="button" className="btn plain" onClick={() => move(best.from)}>
              Go there
            </button>
          </>
        )}
      </p>
      <label className="field">
        Why this threshold?
        <textarea
          rows={2}
          value={reason}
          onChange={(e) => setReason(e.target.value)}
          placeholder="For example: Cheapest, and the front desk can make twenty calls a day."
        />
      </label>
      <Failed error={answer.error} />
      <div className="row">
        <button type="button" className="btn primary" disabled={answer.isPending || !reason.trim()} onClick={save}>
          Agree on {from.toFixed(2)}
        </button>
        {!Number.isNaN(agreed) && <span className="muted">Agreed so far: {agreed.toFixed(2)}</span>}
      </div>
    </div>
  );
}

/** The four kinds of answers, each with what it costs. */
function Money({ costs, m }: { costs: CostModel; m: Matrix }) {
  const cell = (n: number, each: number | null) => (
    <td>
      {short(String(n))} <span className="muted small">{each ? `× ${money(costs, each)} = ${money(costs, n * each)}` : ''}</span>
    </td>
  );
  return (
    <section className="scroll" aria-label="Cases and costs" tabIndex={0}>
      <table>
        <caption className="sr">How often it was right and wrong, and what that cost</caption>
        <thead>
          <tr>
            <th scope="col">What was true</th>
            <th scope="col">It said yes</th>
            <th scope="col">It said no</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Yes</th>
            {cell(m.right, costs.true_positive)}
            {cell(m.misses, costs.false_negative)}
          </tr>
          <tr>
            <th scope="row">No</th>
            {cell(m.alarms, costs.false_positive)}
            {cell(m.quiet, null)}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

const FIELDS: [keyof Matrix, string][] = [
  ['right', 'Right alarms'],
  ['alarms', 'False alarms'],
  ['misses', 'Misses'],
  ['quiet', 'Rightly left alone'],
];

/** For somebody who has a confusion matrix on paper. */
function ByHand({ costs }: { costs: CostModel }) {
  const [typed, type] = useState<Record<keyof Matrix, string>>({ right: '', alarms: '', misses: '', quiet: '' });
  const number = (text: string) => Math.max(0, Number(text.replace(/\s/g, '').replace(',', '.')) || 0);
  const m = {
    right: number(typed.right),
    alarms: number(typed.alarms),
    misses: number(typed.misses),
    quiet: number(typed.quiet),
  };
  const any = FIELDS.some(([k]) => m[k] > 0);
  return (
    <details>
      <summary>Try numbers of your own</summary>
      <div className="stack" style={{ marginTop: 8 }}>
        <div className="row">
          {FIELDS.map(([key, label]) => (
            <label key={key} className="field" style={{ flex: '1 1 120px' }}>
              {label}
              <input
                type="text"
                inputMode="numeric"
                value={typed[key]}
                onChange={(e) => type({ ...typed, [key]: e.target.value })}
              />
            </label>
          ))}
        </div>
        {any && (
          <>
            <Money costs={costs} m={m} />
            <p aria-live="polite">
              That costs <strong>{money(costs, costOf(costs, m))}</strong> for 1,000 cases like these.
            </p>
          </>
        )}
      </div>
    </details>
  );
}
