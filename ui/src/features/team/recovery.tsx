import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Members } from '../../host/commands.gen';
import { Badge, Failed, Say } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

/** The key on paper that makes an owner when no owner can act any more. */
export function Recovery({ team }: { team: Members }) {
  const [printing, print] = useState(false);
  return (
    <section className="card stack" aria-label="Recovery key">
      <h2>Recovery key</h2>
      <p className="muted">
        A sheet of paper with 24 words, in a safe. If every owner's computer is lost, whoever holds it can make a new owner.
      </p>
      <div className="row">
        {team.recovery.printed ? <Badge tone="good">✓ Printed</Badge> : <Badge tone="warn">⚠ There is none yet</Badge>}
        {team.recovery.phrase && <span className="small muted">In force: the sheet that says {team.recovery.phrase}</span>}
        {team.recovery.used && <Badge tone="bad">It was used: print a new one</Badge>}
        <span className="grow" />
        {team.i_am_owner && (
          <button type="button" className="btn" onClick={() => print(true)}>
            {team.recovery.printed ? 'Print a new one…' : 'Print it…'}
          </button>
        )}
      </div>
      {printing && <Print onClose={() => print(false)} />}
    </section>
  );
}

function Print({ onClose }: { onClose: () => void }) {
  const create = useAct('recovery.create');
  const save = useAct('recovery.sheet');
  const app = useCommand('app.status', {});
  const toast = useToast();
  const [path, setPath] = useState<string | null>(null);
  const file = path ?? `${app.data?.workspace?.dir ?? ''}/recovery-key.pdf`;
  return (
    <Dialog open onClose={onClose} title="Print a recovery key">
      {!create.data && (
        <div className="stack">
          <p>
            A new key replaces the one before. Have a printer at hand: the words are shown once, and Cairn keeps them nowhere.
          </p>
          <Failed error={create.error} />
          <div className="row between">
            <button type="button" className="btn plain" onClick={onClose}>
              Cancel
            </button>
            <button type="button" className="btn primary" disabled={create.isPending} onClick={() => create.mutate({})}>
              Make the key
            </button>
          </div>
        </div>
      )}
      {create.data && (
        <div className="stack">
          {!create.data.in_force && <Say tone="warn">It comes into force when more than half of the owners agree.</Say>}
          <ol className="mono" style={{ columns: 3 }} aria-label="The words">
            {create.data.words.map((w, i) => (
              <li key={i}>{w}</li>
            ))}
          </ol>
          <label className="field">
            Save the sheet as
            <input type="text" value={file} onChange={(e) => setPath(e.target.value)} />
            <span className="hint">Print it, put it in a safe, and delete the file. Or write the words down by hand.</span>
          </label>
          <Failed error={save.error} />
          <div className="row between">
            <button type="button" className="btn plain" onClick={onClose}>
              I have them on paper
            </button>
            <button
              type="button"
              className="btn primary"
              disabled={save.isPending}
              onClick={() =>
                save.mutate({ words: create.data.words, path: file }, { onSuccess: (s) => toast(`Saved as ${s.path}.`) })
              }
            >
              Save the sheet
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** For somebody who waits to be let in and holds the sheet. */
export function UseRecovery() {
  const use = useAct('recovery.use');
  const team = useCommand('member.list', {});
  const [words, setWords] = useState('');
  const [member, setMember] = useState('');
  return (
    <details className="card">
      <summary>I have the recovery key</summary>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          use.mutate({ words, member: member || undefined });
        }}
      >
        <label className="field">
          The 24 words
          <textarea value={words} onChange={(e) => setWords(e.target.value)} required spellCheck={false} autoComplete="off" />
        </label>
        <label className="field">
          Who are you?
          <select value={member} onChange={(e) => setMember(e.target.value)}>
            <option value="">Somebody new</option>
            {team.data?.members.map((m) => (
              <option key={m.id} value={m.id}>
                {m.name}
              </option>
            ))}
          </select>
        </label>
        <Failed error={use.error} />
        <button type="submit" className="btn primary" disabled={use.isPending}>
          {use.isPending ? 'Checking…' : 'Make me an owner'}
        </button>
        <p className="muted small">Everybody in the workspace will see that the key was used.</p>
      </form>
    </details>
  );
}

/** What more than half of the owners must agree on. */
export function Proposals({ team }: { team: Members }) {
  const second = useAct('owner.second');
  const open = team.proposals.filter((p) => !p.decided);
  if (open.length === 0) return null;
  return (
    <section className="card stack" aria-label="For the owners to decide">
      <h2>For the owners to decide</h2>
      {open.map((p) => (
        <div key={p.id} className="row">
          <span className="grow">
            {p.by} asks to {p.sentence}.{' '}
            <small className="muted">
              {p.votes.length} of {p.needed} needed: {p.votes.join(', ')}
            </small>
          </span>
          {team.i_am_owner && !p.mine && (
            <button type="button" className="btn primary" disabled={second.isPending} onClick={() => second.mutate({ id: p.id })}>
              I agree
            </button>
          )}
        </div>
      ))}
      <Failed error={second.error} />
    </section>
  );
}
