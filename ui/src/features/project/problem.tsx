import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Check, ChevronRight, Circle } from 'lucide-react';
import { type ReactNode, useId, useRef, useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Answered, ProblemForm, Risk } from '../../host/commands.gen';
import { Badge, Failed, Say, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';
import { BothChanged } from '../../parts/versions';
import { Costs } from './costs';
import { ClassReason, RiskStatements } from './risk';

const RISK = 'risk';
const COSTS = 'costs';

/** The problem as a form that leads: one step at a time, each with its reason and an example. */
export function ProblemTab({ project }: { project: string }) {
  const form = useCommand('problem.get', { project });
  const { step: asked } = useParams({ strict: false });
  const navigate = useNavigate();
  const heading = useRef<HTMLHeadingElement>(null);
  // Where somebody came in they stay: a step that is done must not slip away while they type.
  const came = useRef<string | null>(null);
  if (form.error) return <Failed error={form.error} />;
  if (!form.data) return <Waiting lines={8} />;
  const f = form.data;
  const steps = [
    ...f.groups.map((g) => ({ id: g.id, title: g.title, done: g.done })),
    { id: RISK, title: 'Risk', done: f.risk.done },
    { id: COSTS, title: 'Costs and threshold', done: f.costs.threshold.value !== '' },
  ];
  came.current ??= steps.find((x) => !x.done)?.id ?? steps[0]?.id ?? null;
  const at = Math.max(
    0,
    steps.findIndex((s) => s.id === (asked ?? came.current)),
  );
  const here = steps[at];
  const go = (id: string) => {
    void navigate({ to: '/projects/$project/$tab/$step', params: { project, tab: 'problem', step: id } });
    setTimeout(() => heading.current?.focus(), 50);
  };
  const group = f.groups.find((g) => g.id === here?.id);
  const next = steps[at + 1];
  return (
    <div className="guided">
      <nav aria-label="Steps of the problem" className="steps">
        <p className="small muted">
          {f.answered} of {f.required} needed answers are there
        </p>
        <ol className="list">
          {steps.map((s) => (
            <li key={s.id}>
              <button
                type="button"
                className="nav"
                aria-current={s.id === here?.id ? 'step' : undefined}
                onClick={() => go(s.id)}
              >
                {s.done ? <Check size={16} color="var(--good)" aria-label="Done" /> : <Circle size={16} aria-label="Open" />}
                <span className="grow">{s.title}</span>
              </button>
            </li>
          ))}
        </ol>
      </nav>
      <section className="card stack wide" aria-labelledby="step">
        <div>
          <h2 id="step" ref={heading} tabIndex={-1}>
            {here?.title}
          </h2>
          {group && <p className="muted">{group.why}</p>}
          {here?.id === RISK && (
            <p className="muted">
              How much harm could a wrong answer do? The class decides how much is checked, and who must sign.
            </p>
          )}
          {here?.id === COSTS && (
            <p className="muted">
              A model says how likely something is; from which score on it counts as a yes is your decision. It follows from what
              errors cost.
            </p>
          )}
        </div>
        {group?.questions.map((q) => (
          <Question key={q.answer.name} project={project} asked={q} />
        ))}
        {here?.id === RISK && <RiskStep project={project} risk={f.risk} />}
        {here?.id === COSTS && <Costs form={f} />}
        <div className="row between">
          {at > 0 ? (
            <button type="button" className="btn" onClick={() => go(steps[at - 1]?.id ?? '')}>
              Back
            </button>
          ) : (
            <span />
          )}
          {next ? (
            <button type="button" className="btn primary" onClick={() => go(next.id)}>
              Next: {next.title} <ChevronRight size={16} aria-hidden />
            </button>
          ) : (
            <Link className="btn primary" to="/projects/$project" params={{ project }}>
              Done: see what is next
            </Link>
          )}
        </div>
      </section>
    </div>
  );
}

function useAnswer(project: string) {
  const answer = useAct('problem.answer');
  return {
    error: answer.error,
    pending: answer.isPending,
    save: (asked: { name: string; base: string | null }, value: string, done?: () => void) =>
      answer.mutate({ project, question: asked.name, value, base: asked.base ?? undefined }, { onSuccess: done }),
  };
}

/** One question: saved when the field is left; what was typed survives a crash until then. */
function Question({ project, asked }: { project: string; asked: Answered }) {
  const key = `answer-${project}-${asked.answer.name}`;
  const [draft, setDraft] = useState<string | null>(() => localStorage.getItem(key));
  const [saved, setSaved] = useState(false);
  const { save, error } = useAnswer(project);
  const id = useId();
  const value = draft ?? asked.answer.value;
  const type = (text: string) => {
    setDraft(text);
    setSaved(false);
    localStorage.setItem(key, text);
  };
  const keep = () => {
    if (draft === null) return;
    const done = () => {
      localStorage.removeItem(key);
      setDraft(null);
    };
    if (draft.trim() === asked.answer.value.trim()) return done();
    save(asked.answer, draft, () => {
      done();
      setSaved(true);
    });
  };
  const same = {
    id,
    value,
    'aria-describedby': `${id}-why ${id}-example`,
    onChange: (e: { target: { value: string } }) => type(e.target.value),
    onBlur: keep,
  };
  return (
    <div className="field">
      <div className="row between">
        <label htmlFor={id}>
          <strong>
            <Term>{asked.heading}</Term>
          </strong>
          {!asked.required && <span className="muted"> (if you know)</span>}
        </label>
        <span role="status" className="small muted">
          {saved ? '✓ Saved' : ''}
        </span>
      </div>
      <span className="hint" id={`${id}-why`}>
        {asked.question}
      </span>
      <BothChanged versions={asked.answer.versions} keep={(text) => save(asked.answer, text)} />
      {asked.kind === 'long' ? (
        <textarea rows={3} {...same} />
      ) : (
        <input
          type={asked.kind === 'day' ? 'date' : 'text'}
          inputMode={asked.kind === 'number' ? 'decimal' : undefined}
          {...same}
        />
      )}
      <span className="hint" id={`${id}-example`}>
        {value.trim() === '' && asked.kind !== 'day' ? `For example: ${asked.example}` : ''}
      </span>
      <Failed error={error} />
    </div>
  );
}

/** Radio buttons that move at once; what is saved follows. */
function Choose({
  name,
  value,
  ways,
  choose,
}: {
  name: string;
  value: string;
  ways: [string, ReactNode][];
  choose: (id: string) => void;
}) {
  const [mine, setMine] = useState<{ over: string; id: string } | null>(null);
  // What somebody chose holds until what is saved has changed.
  const shown = mine && mine.over === value ? mine.id : value;
  return (
    <>
      {ways.map(([id, words]) => (
        <label key={id} className="check">
          <input
            type="radio"
            name={name}
            checked={shown === id}
            onChange={() => {
              setMine({ over: value, id });
              choose(id);
            }}
          />
          {words}
        </label>
      ))}
    </>
  );
}

const CLASSES: [string, string][] = [
  ['low', 'Low: little harm, easily put right'],
  ['medium', 'Medium: money or trust is at stake'],
  ['high', "High: people's health, rights or safety"],
];

function RiskStep({ project, risk }: { project: string; risk: Risk }) {
  const { save, error } = useAnswer(project);
  const [stating, state] = useState<string | null>(null);
  return (
    <>
      {risk.questions.map((q) => (
        <fieldset key={q.answer.name} className="field choices">
          <legend>{q.heading}</legend>
          <BothChanged versions={q.answer.versions} keep={(text) => save(q.answer, text)} />
          <div className="row">
            <Choose
              name={q.answer.name}
              value={q.answer.value}
              ways={[
                ['yes', 'Yes'],
                ['no', 'No'],
              ]}
              choose={(word) => save(q.answer, word)}
            />
          </div>
        </fieldset>
      ))}
      <Say tone={risk.suggested ? 'info' : 'warn'}>
        {risk.suggested ? <strong>The answers say: </strong> : null}
        {risk.why}
      </Say>
      <fieldset className="field choices">
        <legend>
          <strong>
            <Term>Risk class</Term>
          </strong>
        </legend>
        <Choose
          name="risk_class"
          value={risk.chosen.value}
          ways={CLASSES.map(([id, words]) => [
            id,
            <span key={id}>
              {words} {risk.suggested === id && <Badge tone="accent">follows from the answers</Badge>}
            </span>,
          ])}
          choose={(id) => (risk.chosen.value === '' ? save(risk.chosen, id) : id !== risk.chosen.value && state(id))}
        />
      </fieldset>
      <RiskStatements project={project} />
      {stating && <ClassReason project={project} to={stating} onClose={() => state(null)} />}
      {(risk.lower || risk.reason.value !== '') && (
        <Question
          project={project}
          asked={{
            kind: 'long',
            required: risk.lower,
            heading: 'Reason for the risk class',
            question: risk.lower
              ? 'You chose a lower class than the answers say. Why is that right?'
              : 'Why is this class right?',
            example: 'A person decides on each case, and a wrong answer is put right by a phone call.',
            answer: risk.reason,
          }}
        />
      )}
      <Failed error={error} />
    </>
  );
}

/** What was answered so far, to be read. */
export function ProblemSummary({ project }: { project: string }) {
  const form = useCommand('problem.get', { project });
  if (form.error) return <Failed error={form.error} />;
  if (!form.data) return <Waiting lines={6} />;
  const f = form.data;
  const both = [...f.groups.flatMap((g) => g.questions), ...f.risk.questions].some((q) => q.answer.versions.length > 1);
  return (
    <section className="card stack" aria-labelledby="problem">
      <div className="row between">
        <h2 id="problem">The problem</h2>
        <Link
          className={f.answered < f.required ? 'btn primary' : 'btn'}
          to="/projects/$project/$tab"
          params={{ project, tab: 'problem' }}
        >
          {f.answered === 0
            ? 'State the problem'
            : f.answered < f.required
              ? `Go on: ${f.required - f.answered} answers to go`
              : 'Open the form'}
        </Link>
      </div>
      {both && <Say tone="warn">Two people gave different answers to one question. Nothing is lost: choose in the form.</Say>}
      {f.groups.map((g) => {
        const filled = g.questions.filter((q) => q.answer.value.trim() !== '');
        return filled.length === 0 ? null : (
          <dl key={g.id} className="answers">
            {filled.map((q) => (
              <div key={q.answer.name}>
                <dt>{q.heading}</dt>
                <dd>{q.answer.value}</dd>
              </div>
            ))}
          </dl>
        );
      })}
      <RiskLine form={f} />
    </section>
  );
}

function RiskLine({ form }: { form: ProblemForm }) {
  const { risk, costs } = form;
  if (!risk.chosen.value && !risk.suggested && !costs.threshold.value) return null;
  const chosen = CLASSES.find(([id]) => id === risk.chosen.value)?.[1];
  return (
    <dl className="answers">
      {chosen && (
        <div>
          <dt>Risk class</dt>
          <dd>
            {chosen}. {risk.reason.value || (risk.suggested ? risk.why : '')}
          </dd>
        </div>
      )}
      {costs.threshold.value && (
        <div>
          <dt>Threshold</dt>
          <dd>
            It says yes from {costs.threshold.value} on. {costs.threshold_reason.value}
          </dd>
        </div>
      )}
    </dl>
  );
}
