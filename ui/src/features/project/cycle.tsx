import { Check } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Project, Step, SubjectRef } from '../../host/commands.gen';
import { Badge, Failed, Say, Time } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Evidence } from '../../parts/record';
import { useToast } from '../../parts/toast';

const TRIGGERS: [string, string][] = [
  ['monitor', 'A monitor: a number went where it should not'],
  ['date', 'A date: it was planned to look again'],
  ['change', 'A change: in the data, the goal or the rules'],
  ['incident', 'An incident: something went wrong'],
];
const WORD: Record<string, string> = { monitor: 'a monitor', date: 'a date', change: 'a change', incident: 'an incident' };

/** What makes the next cycle begin: recorded before the present one is closed. */
export function NextCycle({ project }: { project: Project }) {
  const [open, show] = useState(false);
  return (
    <div className="stack">
      {project.trigger ? (
        <p>
          Cycle {project.cycle + 1} will begin because of {WORD[project.trigger.trigger] ?? project.trigger.trigger}: “
          {project.trigger.why}” ({project.trigger.by.name}) <Evidence links={project.trigger.evidence} project={project.id} />
        </p>
      ) : (
        <p className="muted">When the world, the data or the goal has changed, say so here: then the next cycle can begin.</p>
      )}
      <div className="row">
        <button type="button" className="btn" onClick={() => show(true)}>
          {project.trigger ? 'Say it differently…' : 'Record what makes a new cycle begin…'}
        </button>
      </div>
      {open && <Trigger project={project} onClose={() => show(false)} />}
    </div>
  );
}

function Trigger({ project, onClose }: { project: Project; onClose: () => void }) {
  const trigger = useAct('project.trigger');
  const toast = useToast();
  const notes = useCommand('note.list', { about: { kind: 'project', id: project.id } });
  const findings = useCommand('finding.list', { project: project.id });
  const runs = useCommand('run.list', { project: project.id });
  const [kind, choose] = useState(project.trigger?.trigger ?? 'monitor');
  const [reason, setReason] = useState(project.trigger?.why ?? '');
  const [links, setLinks] = useState<SubjectRef[]>(project.trigger?.evidence.map((e) => ({ kind: e.kind, id: e.id })) ?? []);
  const choices = [
    ...(findings.data ?? []).map((f) => ({ kind: 'finding', id: f.id, title: `Finding: ${f.title}` })),
    ...(notes.data ?? []).map((n) => ({ kind: 'note', id: n.id, title: `Note: ${n.title}` })),
    ...(runs.data ?? []).slice(0, 50).map((r) => ({ kind: 'run', id: r.id, title: `Run: ${r.name}` })),
  ];
  return (
    <Dialog open onClose={onClose} title={`What makes cycle ${project.cycle + 1} begin?`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          trigger.mutate(
            { project: project.id, trigger: kind, reason, evidence: links },
            {
              onSuccess: () => {
                onClose();
                toast('Recorded.');
              },
            },
          );
        }}
      >
        <fieldset className="field choices">
          <legend>It is</legend>
          {TRIGGERS.map(([id, words]) => (
            <label key={id} className="check">
              <input type="radio" name="trigger" checked={kind === id} onChange={() => choose(id)} />
              {words}
            </label>
          ))}
        </fieldset>
        <label className="field">
          What happened?
          <textarea
            required
            value={reason}
            onChange={(e) => setReason(e.target.value)}
            placeholder="For example: Since May many patients book online, and recall fell to 0.7."
          />
        </label>
        <fieldset className="field choices">
          <legend>What shows it?</legend>
          {choices.length === 0 && (
            <span className="muted small">Write a note or raise a finding first; then it can be linked.</span>
          )}
          {choices.slice(0, 20).map((c) => (
            <label key={c.id} className="check">
              <input
                type="checkbox"
                checked={links.some((l) => l.id === c.id)}
                onChange={(e) =>
                  setLinks(e.target.checked ? [...links, { kind: c.kind, id: c.id }] : links.filter((l) => l.id !== c.id))
                }
              />
              {c.title}
            </label>
          ))}
        </fieldset>
        <Failed error={trigger.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={trigger.isPending}>
            Record it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a new cycle takes along and what begins anew: said before anybody closes one. */
export function CarriedOver({ cycle }: { cycle: number }) {
  return (
    <div className="grid2">
      <div>
        <h3>Stays true</h3>
        <ul>
          <li>the problem and its answers, to be changed where they are not right any more</li>
          <li>the people, the data, all runs, models and cards</li>
          <li>open findings, and what is in production with its approval</li>
        </ul>
      </div>
      <div>
        <h3>Begins anew</h3>
        <ul>
          <li>the handoffs, from G1 on</li>
          <li>acceptance criteria; those of cycle {cycle} are proposed, and must be signed again</li>
        </ul>
      </div>
    </div>
  );
}

/** Ends a project, or takes it up again. */
export function EndProject({ project }: { project: Project }) {
  const end = useAct('project.end');
  const toast = useToast();
  const [open, show] = useState(false);
  const [ending, choose] = useState('completed');
  const [reason, setReason] = useState('');
  const over = project.ended !== null;
  return (
    <>
      {project.ended && (
        <Say tone="warn">
          <strong>{project.ended.ending === 'completed' ? 'Completed' : 'Cancelled'}</strong> by {project.ended.by.name}{' '}
          <Time ms={project.ended.at_ms} />: “{project.ended.why}” Nothing of it is lost, and nothing waits any more.
        </Say>
      )}
      <button type="button" className="btn plain" onClick={() => show(true)}>
        {over ? 'Take the project up again…' : 'End the project…'}
      </button>
      <Dialog
        open={open}
        onClose={() => show(false)}
        title={over ? `Take “${project.title}” up again` : `End “${project.title}”`}
      >
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            end.mutate(
              { project: project.id, ending: over ? undefined : ending, reason },
              {
                onSuccess: () => {
                  show(false);
                  setReason('');
                  toast(over ? 'The project goes on.' : 'The project has ended.');
                },
              },
            );
          }}
        >
          {!over && (
            <fieldset className="field choices">
              <legend>How does it end?</legend>
              {[
                ['completed', 'Completed: the model has done its work and is retired'],
                ['cancelled', 'Cancelled: it is not worth going on'],
              ].map(([id, words]) => (
                <label key={id} className="check">
                  <input type="radio" name="ending" checked={ending === id} onChange={() => choose(id ?? '')} />
                  {words}
                </label>
              ))}
            </fieldset>
          )}
          <label className="field">
            Why?
            <textarea required value={reason} onChange={(e) => setReason(e.target.value)} />
          </label>
          <Failed error={end.error} />
          <div className="row between">
            <button type="button" className="btn plain" onClick={() => show(false)}>
              Cancel
            </button>
            <button type="submit" className="btn primary" disabled={end.isPending}>
              {over ? 'Take it up again' : 'End the project'}
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

/** The way so far: each stay, who moved it on, and what was waived. */
export function WaySoFar({ project }: { project: string }) {
  const way = useCommand('project.way', { project });
  if (way.error) return <Failed error={way.error} />;
  if (!way.data || way.data.cycles.every((c) => c.steps.length < 2 && !c.trigger)) return null;
  return (
    <section className="card stack" aria-labelledby="way">
      <h2 id="way">The way so far</h2>
      {way.data.cycles.map((c) => (
        <div key={c.cycle} className="stack">
          <h3>Cycle {c.cycle}</h3>
          {c.trigger && (
            <p className="small">
              Began because of {WORD[c.trigger.trigger] ?? c.trigger.trigger}: “{c.trigger.why}” ({c.trigger.by.name}){' '}
              <Evidence links={c.trigger.evidence} project={project} />
            </p>
          )}
          <ol className="list">
            {c.steps.map((s) => (
              <li key={`${s.stage}/${s.entered_ms}`} style={{ padding: '6px 0' }}>
                <StepLine step={s} />
              </li>
            ))}
          </ol>
        </div>
      ))}
    </section>
  );
}

function StepLine({ step: s }: { step: Step }) {
  const days = s.left_ms === null ? null : (s.left_ms - s.entered_ms) / 86_400_000;
  return (
    <>
      <div className="row between">
        <span>
          {s.left_ms !== null && <Check size={14} color="var(--good)" aria-hidden />} {s.name}{' '}
          {s.back && <Badge tone="warn">↩ back</Badge>}
        </span>
        <small className="muted">
          {days === null ? 'here since ' : `${days < 1 ? 'under a day' : `${Math.round(days)} days`}, from `}
          <Time ms={s.entered_ms} />
        </small>
      </div>
      {s.waived.length > 0 && (
        <div className="small">
          <Badge tone="warn">⚠ Waiver</Badge> {s.by.name} moved it here without: {s.waived.join('; ')}. “{s.why}”
        </div>
      )}
      {s.back && s.why && (
        <div className="small muted">
          {s.by.name}: “{s.why}”
        </div>
      )}
    </>
  );
}
