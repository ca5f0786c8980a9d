import { Link, useParams } from '@tanstack/react-router';
import { Check, Circle } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Project } from '../../host/commands.gen';
import { Badge, Failed, lower, Say, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Evidence as EvidenceLinks } from '../../parts/record';
import { Explained } from '../../parts/term';
import { useToast } from '../../parts/toast';
import { Trail } from '../audit/trail';
import { Handoffs } from '../checklist/handoffs';
import { Threads } from '../comment/threads';
import { Criteria } from '../criteria/criteria';
import { Score } from '../criteria/score';
import { Datasets } from '../dataset/datasets';
import { Findings } from '../finding/findings';
import { LifecycleOf } from '../lifecycle/choose';
import { Models } from '../model/models';
import { Monitors } from '../monitor/monitors';
import { Notes } from '../note/notes';
import { ProjectRuns } from '../run/runs';
import { CarriedOver, EndProject, NextCycle, WaySoFar } from './cycle';
import { ProblemSummary, ProblemTab } from './problem';

const TABS = [
  ['overview', 'Overview'],
  ['problem', 'Problem'],
  ['data', 'Data'],
  ['runs', 'Runs'],
  ['checks', 'Criteria and findings'],
  ['models', 'Models and releases'],
  ['handoffs', 'Handoffs'],
  ['notes', 'Notes'],
  ['history', 'History'],
] as const;

const RISK: Record<string, [string, Tone]> = {
  low: ['Low risk', 'good'],
  medium: ['Medium risk', 'warn'],
  high: ['High risk', 'bad'],
};

export function ProjectScreen() {
  const { project: id, tab = 'overview' } = useParams({ strict: false });
  const project = useCommand('project.get', { project: id ?? '' });
  if (project.error) return <Failed error={project.error} />;
  if (!project.data) return <Waiting lines={8} />;
  const p = project.data;
  const risk = RISK[p.fields.find((f) => f.name === 'risk_class')?.value ?? ''];
  return (
    <div className="page">
      <header className="row between">
        <h1>{p.title}</h1>
        <div className="row">
          <Link className="small" to="/graph/$kind/$id" params={{ kind: 'project', id: p.id }}>
            Lineage and links
          </Link>
          {risk && <Badge tone={risk[1]}>{risk[0]}</Badge>}
          <Badge>Cycle {p.cycle}</Badge>
        </div>
      </header>
      <ol className="trail" aria-label="Stages of the project">
        {p.stages.map((s, i) => (
          <li key={s.id} className={s.state} title={s.purpose} aria-current={s.state === 'here' ? 'step' : undefined}>
            <i>{s.state === 'done' ? <Check size={14} aria-hidden /> : i + 1}</i>
            {s.name}
            <span className="sr">{s.state === 'done' ? ' (done)' : s.state === 'here' ? ' (here now)' : ' (ahead)'}</span>
          </li>
        ))}
      </ol>
      <LifecycleOf project={p} />
      <nav className="tabs" aria-label="Parts of the project">
        {TABS.map(([key, label]) => (
          <Link
            key={key}
            to="/projects/$project/$tab"
            params={{ project: p.id, tab: key }}
            data-status={key === tab ? 'active' : undefined}
            aria-current={key === tab ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {tab === 'overview' && <Overview project={p} />}
      {tab === 'problem' && <ProblemTab project={p.id} />}
      {tab === 'checks' && (
        <div className="stack wide">
          <Criteria project={p.id} />
          <Findings project={p.id} about={{ kind: 'project', id: p.id }} />
          <Score project={p.id} />
        </div>
      )}
      {tab === 'data' && <Datasets project={p.id} />}
      {tab === 'runs' && <ProjectRuns project={p.id} />}
      {tab === 'models' && (
        <div className="stack wide">
          <Models project={p.id} />
          <Monitors project={p.id} />
        </div>
      )}
      {tab === 'handoffs' && <Handoffs project={p} />}
      {tab === 'notes' && (
        <div className="stack wide">
          <Notes about={{ kind: 'project', id: p.id }} />
          <Threads about={{ kind: 'project', id: p.id }} />
        </div>
      )}
      {tab === 'history' && (
        <Trail query={{ subject: { kind: 'project', id: p.id }, tracking: false, problems: false, offset: 0 }} />
      )}
    </div>
  );
}

/** Where a missing thing is made. */
const PLACE: Record<string, string> = {
  dataset_registered: 'data',
  run_finished: 'runs',
  model_version_registered: 'models',
  card_complete: 'models',
  release_approved: 'models',
  deployed_to_production: 'models',
  checklist_completed: 'handoffs',
  field_filled: 'problem',
  answered: 'problem',
  all_answered: 'problem',
  risk_decided: 'problem',
  criteria_signed: 'checks',
  criteria_met: 'checks',
  findings_settled: 'checks',
  monitors_live: 'models',
};

function Overview({ project }: { project: Project }) {
  const here = project.stages.find((s) => s.state === 'here');
  return (
    <div className="grid2">
      <div className="stack">
        <ProblemSummary project={project.id} />
      </div>
      <div className="stack">
        <section className="card stack">
          <h2>{here?.name}</h2>
          <p className="muted">
            <Explained text={here?.purpose ?? ''} />
          </p>
          <ul className="list">
            {project.gate.map((g) => (
              <li key={g.id} className="row" style={{ padding: '8px 0', flexWrap: 'nowrap' }}>
                {g.met ? (
                  <Check size={16} color="var(--good)" aria-label="Done" style={{ flex: 'none' }} />
                ) : (
                  <Circle size={16} aria-label="Missing" style={{ flex: 'none' }} />
                )}
                <div className="grow">
                  {PLACE[g.kind] ? (
                    <Link to="/projects/$project/$tab" params={{ project: project.id, tab: PLACE[g.kind] ?? 'overview' }}>
                      <Explained text={g.text} />
                    </Link>
                  ) : (
                    <Explained text={g.text} />
                  )}
                  {(g.said || g.evidence.length > 0) && (
                    <div className="small muted">
                      {g.said} <EvidenceLinks links={g.evidence} project={project.id} />
                    </div>
                  )}
                  {g.nobody && (
                    <div className="small">
                      <Badge tone="warn">Nobody holds the role {lower(g.owner.label)}</Badge> An administrator gives it on the{' '}
                      <Link to="/team">Team page</Link>.
                    </div>
                  )}
                </div>
                {!g.met && <small className="muted right">{g.owner.label}</small>}
              </li>
            ))}
          </ul>
          {project.turn && (
            <Say tone={project.my_turn ? 'warn' : 'info'}>
              {project.my_turn ? 'It is your turn.' : `It is the turn of the ${lower(project.turn.label)}.`}
            </Say>
          )}
          {!project.ended && <MoveOn project={project} />}
          {!project.ended && project.stage === 'operation' && <NextCycle project={project} />}
          <EndProject project={project} />
        </section>
        <WaySoFar project={project.id} />
        <People project={project} />
      </div>
    </div>
  );
}

function MoveOn({ project }: { project: Project }) {
  const enter = useAct('project.enter_stage');
  const toast = useToast();
  const [asking, ask] = useState<'waive' | 'back' | 'close' | null>(null);
  const [reason, setReason] = useState('');
  const at = project.stages.findIndex((s) => s.state === 'here');
  const next = project.stages[at + 1] ?? project.stages[0];
  const [target, setTarget] = useState(project.stages[Math.max(at - 1, 0)]?.id ?? '');
  const missing = project.gate.filter((g) => !g.met);
  const closing = project.stage === 'operation';
  const go = (stage: string, why?: string) =>
    enter.mutate(
      { project: project.id, stage, reason: why },
      {
        onSuccess: () => {
          ask(null);
          setReason('');
          toast('The project moved.');
        },
      },
    );
  return (
    <>
      <div className="row">
        {missing.length === 0 ? (
          <button type="button" className="btn primary" onClick={() => (closing ? ask('close') : go(next?.id ?? ''))}>
            {closing ? `Close cycle ${project.cycle} and begin the next` : `Move on to: ${next?.name}`}
          </button>
        ) : (
          <button type="button" className="btn" onClick={() => ask('waive')}>
            Move on without…
          </button>
        )}
        {at > 0 && (
          <button type="button" className="btn plain" onClick={() => ask('back')}>
            Move back…
          </button>
        )}
      </div>
      <Failed error={asking ? null : enter.error} />
      <Dialog
        open={asking !== null}
        onClose={() => ask(null)}
        title={
          asking === 'back'
            ? 'Move back'
            : asking === 'close'
              ? `Close cycle ${project.cycle}`
              : `Move on to ${next?.name} without what is missing`
        }
      >
        {asking !== 'back' && closing && <CarriedOver cycle={project.cycle} />}
        {asking === 'waive' && (
          <>
            <p>
              This is a waiver. It stays in the history with your name, and only a business owner or compliance can give it.
              Missing:
            </p>
            <ul>
              {missing.map((g) => (
                <li key={g.id}>{g.text}</li>
              ))}
            </ul>
          </>
        )}
        {asking === 'back' && (
          <label className="field">
            To which stage?
            <select value={target} onChange={(e) => setTarget(e.target.value)}>
              {project.stages.slice(0, at).map((s) => (
                <option key={s.id} value={s.id}>
                  {s.name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="field">
          {asking === 'close' ? 'What did this cycle show? (if you like)' : 'Reason'}
          <textarea value={reason} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={enter.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={() => ask(null)}>
            Cancel
          </button>
          <button
            type="button"
            className="btn primary"
            disabled={asking !== 'close' && !reason.trim()}
            onClick={() => go(asking === 'back' ? target : (next?.id ?? ''), reason.trim() || undefined)}
          >
            {asking === 'back' ? 'Move the project back' : asking === 'close' ? 'Close the cycle' : 'Waive and move on'}
          </button>
        </div>
      </Dialog>
    </>
  );
}

function People({ project }: { project: Project }) {
  const team = useCommand('member.list', {});
  const set = useAct('project.set_member');
  const [choice, setChoice] = useState('');
  const free = (team.data?.members ?? []).flatMap((m) =>
    m.roles
      .filter((r) => r.id !== 'owner' && r.id !== 'administrator')
      .filter((r) => !project.members.some((p) => p.person.id === m.id && p.role.id === r.id))
      .map((r) => ({ key: `${m.id}/${r.id}`, label: `${m.name} as ${lower(r.label)}` })),
  );
  return (
    <section className="card stack">
      <h2>People</h2>
      {project.members.length === 0 && <p className="muted">Nobody is named yet. Name who decides, who builds and who checks.</p>}
      <ul className="list">
        {project.members.map((m) => (
          <li key={m.person.id + m.role.id} className="row between" style={{ padding: '6px 0' }}>
            <span>{m.person.name}</span>
            <span className="row">
              <Badge>{m.role.label}</Badge>
              <button
                type="button"
                className="btn plain icon"
                aria-label={`Take ${m.person.name} off as ${m.role.label}`}
                onClick={() => set.mutate({ project: project.id, member: m.person.id, role: m.role.id, belongs: false })}
              >
                ✕
              </button>
            </span>
          </li>
        ))}
      </ul>
      {free.length > 0 && (
        <form
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            const [member = '', role = ''] = choice.split('/');
            set.mutate({ project: project.id, member, role, belongs: true }, { onSuccess: () => setChoice('') });
          }}
        >
          <select
            className="grow"
            style={{ width: 'auto' }}
            aria-label="Person and role"
            value={choice}
            onChange={(e) => setChoice(e.target.value)}
          >
            <option value="">Name somebody…</option>
            {free.map((f) => (
              <option key={f.key} value={f.key}>
                {f.label}
              </option>
            ))}
          </select>
          <button type="submit" className="btn" disabled={!choice}>
            Add
          </button>
        </form>
      )}
      <Failed error={set.error} />
    </section>
  );
}
