import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Finding, SubjectRef } from '../../host/commands.gen';
import { Badge, Empty, Failed, Time, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Html } from '../../parts/html';
import { ChooseParty, Due, type Party } from '../../parts/party';
import { RecordLink } from '../../parts/record';
import { Term } from '../../parts/term';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';
import { Threads, usePeople } from '../comment/threads';

const SEVERITY: Record<string, [string, Tone]> = {
  high: ['▲ High', 'bad'],
  medium: ['● Medium', 'warn'],
  low: ['▽ Low', 'info'],
};
const OUTCOME: Record<string, string> = { fixed: 'Fixed', accepted: 'Accepted', no_problem: 'No problem' };

/** What was found in a project, and how it is dealt with. */
export function Findings({ project, about }: { project: string; about?: SubjectRef }) {
  const findings = useCommand('finding.list', { project });
  const [editing, edit] = useState<Finding | 'new' | null>(null);
  if (findings.error) return <Failed error={findings.error} />;
  if (!findings.data) return <Waiting />;
  const open = findings.data.filter((f) => f.outcome === null);
  const settled = findings.data.filter((f) => f.outcome !== null);
  return (
    <section className="stack" aria-labelledby="findings">
      <div className="row between">
        <h2 id="findings">
          <Term word="finding">Findings</Term>
        </h2>
        <button type="button" className="btn" onClick={() => edit('new')}>
          Raise a finding
        </button>
      </div>
      {findings.data.length === 0 && (
        <div className="card">
          <Empty title="No findings yet">
            A finding is something wrong or doubtful that somebody must deal with, for example: “For patients over 80 it misses
            twice as many.” Known issues are handed over as findings, not in prose.
          </Empty>
        </div>
      )}
      {open.map((f) => (
        <FindingCard key={f.id} finding={f} edit={() => edit(f)} />
      ))}
      {settled.length > 0 && (
        <details>
          <summary>{settled.length} settled</summary>
          <div className="stack" style={{ marginTop: 8 }}>
            {settled.map((f) => (
              <FindingCard key={f.id} finding={f} edit={() => edit(f)} />
            ))}
          </div>
        </details>
      )}
      {editing && (
        <Edit project={project} about={about} finding={editing === 'new' ? undefined : editing} onClose={() => edit(null)} />
      )}
    </section>
  );
}

function FindingCard({ finding: f, edit }: { finding: Finding; edit: () => void }) {
  const [word, tone] = SEVERITY[f.severity] ?? [f.severity, 'plain'];
  const [settling, settle] = useState(false);
  const [assigning, assign] = useState(false);
  const [talking, talk] = useState(false);
  const save = useAct('finding.save');
  return (
    <article className="card stack" aria-label={`Finding: ${f.title}`}>
      <div className="row between">
        <h3>{f.title}</h3>
        <div className="row">
          <Badge tone={tone}>{word}</Badge>
          {f.outcome && <Badge tone="good">✓ {OUTCOME[f.outcome]}</Badge>}
        </div>
      </div>
      <BothChanged
        versions={f.versions}
        keep={(text) =>
          save.mutate({ project: f.project, finding: f.id, title: f.title, text, severity: f.severity, base: f.base })
        }
      />
      {f.text && <Html className="prose" html={f.html} />}
      {f.rewritten.length > 0 && (
        <details className="small">
          <summary>Somebody else wrote over it; what {f.by.name} said stands</summary>
          {f.rewritten.map((v) => (
            <p key={v.op}>
              {v.by.name}: “{v.value}” <Time ms={v.at_ms} />
            </p>
          ))}
        </details>
      )}
      <div className="small muted row">
        <span>
          Raised by {f.by.name} <Time ms={f.at_ms} />
        </span>
        {f.about && (
          <span>
            about <RecordLink {...f.about} project={f.project} />
          </span>
        )}
        {f.outcome === null && (
          <span>
            {f.assigned ? `With ${f.assigned.label}` : 'With nobody yet'} <Due day={f.due} />
          </span>
        )}
      </div>
      {f.outcome && (
        <p className="small">
          {f.settled_by?.name}: “{f.settled_why}” {f.settled_ms && <Time ms={f.settled_ms} />}
        </p>
      )}
      <div className="row">
        {f.outcome === null && (
          <>
            <button type="button" className="btn" onClick={() => assign(true)}>
              {f.assigned ? 'Give to somebody else…' : 'Give to somebody…'}
            </button>
            {(f.i_may_reword || f.i_may_settle) && (
              <button type="button" className="btn" onClick={edit}>
                {f.i_may_reword ? 'Change' : 'Grade'}
                <span className="sr"> {f.title}</span>
              </button>
            )}
          </>
        )}
        {f.i_may_settle && (
          <button type="button" className="btn" onClick={() => settle(true)}>
            {f.outcome ? 'Open again…' : 'Settle…'}
          </button>
        )}
        <button type="button" className="btn plain" aria-expanded={talking} onClick={() => talk(!talking)}>
          Questions and comments
        </button>
      </div>
      {talking && <Threads about={{ kind: 'finding', id: f.id }} title={`About: ${f.title}`} />}
      {settling && <Settle finding={f} onClose={() => settle(false)} />}
      {assigning && <Assign finding={f} onClose={() => assign(false)} />}
    </article>
  );
}

function Edit({
  project,
  about,
  finding,
  onClose,
}: {
  project: string;
  about?: SubjectRef;
  finding?: Finding;
  onClose: () => void;
}) {
  const save = useAct('finding.save');
  const [title, setTitle] = useState(finding?.title ?? '');
  const [text, setText] = useState(finding?.text ?? '');
  const [severity, setSeverity] = useState(finding?.severity ?? 'medium');
  const [reason, setReason] = useState('');
  const graded = finding !== undefined && finding.severity !== severity;
  return (
    <Dialog
      open
      onClose={onClose}
      title={finding ? (finding.i_may_reword ? 'Change the finding' : 'Grade the finding') : 'Raise a finding'}
    >
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate(
            {
              project,
              finding: finding?.id,
              title,
              text,
              severity,
              about: finding ? undefined : about,
              base: finding?.base,
              reason,
            },
            { onSuccess: onClose },
          );
        }}
      >
        <label className="field">
          What did you find?
          <input
            type="text"
            required
            value={title}
            disabled={finding !== undefined && !finding.i_may_reword}
            onChange={(e) => setTitle(e.target.value)}
            placeholder="For example: Misses twice as many patients over 80"
          />
        </label>
        <label className="field">
          How can it be seen, and what follows?
          <textarea
            rows={4}
            value={text}
            disabled={finding !== undefined && !finding.i_may_reword}
            onChange={(e) => setText(e.target.value)}
          />
        </label>
        <fieldset className="field choices" disabled={finding !== undefined && !finding.i_may_settle}>
          <legend>
            How much does it matter?
            {finding && !finding.i_may_settle && <span className="muted"> Whoever checks says so.</span>}
          </legend>
          {[
            ['high', 'High: it must not go live like this'],
            ['medium', 'Medium: somebody must deal with it by a day'],
            ['low', 'Low: good to know'],
          ].map(([id, words]) => (
            <label key={id} className="check">
              <input type="radio" name="severity" checked={severity === id} onChange={() => setSeverity(id ?? '')} />
              {words}
            </label>
          ))}
        </fieldset>
        {graded && (
          <label className="field">
            Why is that different now?
            <textarea rows={2} required value={reason} onChange={(e) => setReason(e.target.value)} />
          </label>
        )}
        <Failed error={save.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={save.isPending}>
            {finding ? 'Save the finding' : 'Raise the finding'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Assign({ finding, onClose }: { finding: Finding; onClose: () => void }) {
  const assign = useAct('finding.assign');
  const people = usePeople();
  const [to, setTo] = useState<Party | null>(finding.assigned);
  const [due, setDue] = useState(finding.due ?? '');
  return (
    <Dialog open onClose={onClose} title={`Who deals with “${finding.title}”?`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          assign.mutate(
            { finding: finding.id, to: to ? { kind: to.kind, id: to.id } : undefined, due: due || undefined },
            { onSuccess: onClose },
          );
        }}
      >
        <ChooseParty label="Who" value={to} choose={setTo} nobody="nobody" {...people} />
        <label className="field">
          Until when
          <input type="date" value={due} onChange={(e) => setDue(e.target.value)} />
        </label>
        <Failed error={assign.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Settle({ finding, onClose }: { finding: Finding; onClose: () => void }) {
  const settle = useAct('finding.settle');
  const toast = useToast();
  const [outcome, choose] = useState('fixed');
  const [reason, setReason] = useState('');
  const open = finding.outcome === null;
  const ways: [string, string, boolean][] = [
    ['fixed', 'Fixed: it is not there any more', true],
    ['no_problem', 'No problem: it was looked at and does not matter', true],
    ['accepted', 'Accepted: we live with it (a waiver, with your name)', finding.i_may_accept],
  ];
  return (
    <Dialog open onClose={onClose} title={open ? `Settle “${finding.title}”` : `Open “${finding.title}” again`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          settle.mutate(
            { finding: finding.id, outcome: open ? outcome : undefined, reason },
            {
              onSuccess: () => {
                onClose();
                toast(open ? 'Settled.' : 'Open again.');
              },
            },
          );
        }}
      >
        {open && (
          <fieldset className="field choices">
            <legend>How did it end?</legend>
            {ways
              .filter(([, , may]) => may)
              .map(([id, words]) => (
                <label key={id} className="check">
                  <input type="radio" name="outcome" checked={outcome === id} onChange={() => choose(id)} />
                  {words}
                </label>
              ))}
          </fieldset>
        )}
        <label className="field">
          Why?
          <textarea required rows={3} value={reason} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={settle.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={settle.isPending}>
            {open ? 'Settle the finding' : 'Open it again'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
