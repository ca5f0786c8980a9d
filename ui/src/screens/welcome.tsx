import { useState } from 'react';
import { UseRecovery } from '../features/team/recovery';
import { useAct } from '../host/cache';
import type { AppStatus, WorkspaceInfo } from '../host/commands.gen';
import { Failed, Logo, Say } from '../parts/bits';

/** The first run: create a workspace or join one. No terminal, no git word. */
export function Welcome({ app }: { app: AppStatus }) {
  const [way, setWay] = useState<'choose' | 'create' | 'join'>('choose');
  return (
    <main className="welcome">
      <div>
        <header className="hero">
          <Logo size={64} />
          <h1>Welcome to Cairn</h1>
          <p>Take a machine-learning project from a business problem to an approved release, together, also without a network.</p>
        </header>
        {app.trouble && <Failed error={app.trouble} />}
        {way === 'choose' && (
          <div className="stack">
            <button type="button" className="btn primary big" onClick={() => setWay('create')}>
              Create a workspace
            </button>
            <button type="button" className="btn big" onClick={() => setWay('join')}>
              Join your team's workspace
            </button>
          </div>
        )}
        {way === 'create' && <Create app={app} back={() => setWay('choose')} />}
        {way === 'join' && <Join app={app} back={() => setWay('choose')} />}
      </div>
    </main>
  );
}

function Passphrase({ app, failed, value, set }: { app: AppStatus; failed?: string; value: string; set: (v: string) => void }) {
  const needed = !app.keyring || failed === 'no_keyring' || failed === 'keyring_locked' || failed === 'keyring';
  if (!needed) return null;
  return (
    <>
      <Say tone="warn">
        This computer has no keyring that answers. Your signing key can lie in a file that a passphrase encrypts. You enter it
        each time Cairn starts.
      </Say>
      <label className="field">
        Passphrase
        <input
          type="password"
          value={value}
          minLength={8}
          required
          onChange={(e) => set(e.target.value)}
          autoComplete="new-password"
        />
        <span className="hint">At least eight characters. Nobody can recover it.</span>
      </label>
    </>
  );
}

function Create({ app, back }: { app: AppStatus; back: () => void }) {
  const create = useAct('workspace.create');
  const [form, setForm] = useState({ name: '', person: '', email: '', remote: '', passphrase: '' });
  const [roles, setRoles] = useState<string[]>(['data_scientist']);
  const set = (key: keyof typeof form) => (e: { target: { value: string } }) => setForm({ ...form, [key]: e.target.value });
  const choices = app.roles.filter((r) => r.id !== 'owner' && r.id !== 'administrator');
  return (
    <form
      className="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        create.mutate({ ...form, roles, remote: form.remote || undefined, passphrase: form.passphrase || undefined });
      }}
    >
      <h2>Create a workspace</h2>
      <label className="field">
        Name of the workspace
        <input type="text" value={form.name} onChange={set('name')} required placeholder="For example: Northwind Health" />
      </label>
      <label className="field">
        Your name
        <input type="text" value={form.person} onChange={set('person')} required autoComplete="name" />
        <span className="hint">It stands beside everything you write and sign.</span>
      </label>
      <label className="field">
        Your e-mail address (optional)
        <input type="email" value={form.email} onChange={set('email')} autoComplete="email" />
      </label>
      <fieldset className="checks">
        <legend>What do you do in the projects?</legend>
        {choices.map((role) => (
          <label key={role.id} className="check">
            <input
              type="checkbox"
              checked={roles.includes(role.id)}
              onChange={(e) => setRoles(e.target.checked ? [...roles, role.id] : roles.filter((r) => r !== role.id))}
            />
            {role.label}
          </label>
        ))}
      </fieldset>
      <label className="field">
        Shared place (optional)
        <input
          type="text"
          value={form.remote}
          onChange={set('remote')}
          placeholder="An address your team reaches; can be added later"
        />
        <span className="hint">An empty repository on your team's server, or a shared folder that holds one.</span>
      </label>
      <Passphrase
        app={app}
        failed={create.error?.code}
        value={form.passphrase}
        set={(v) => setForm({ ...form, passphrase: v })}
      />
      <Failed error={create.error} />
      <div className="row between">
        <button type="button" className="btn plain" onClick={back}>
          Back
        </button>
        <button type="submit" className="btn primary" disabled={create.isPending}>
          {create.isPending ? 'Creating…' : 'Create the workspace'}
        </button>
      </div>
    </form>
  );
}

function Join({ app, back }: { app: AppStatus; back: () => void }) {
  const join = useAct('workspace.join');
  const [form, setForm] = useState({ address: '', person: '', email: '', passphrase: '' });
  const set = (key: keyof typeof form) => (e: { target: { value: string } }) => setForm({ ...form, [key]: e.target.value });
  return (
    <form
      className="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        join.mutate({ ...form, passphrase: form.passphrase || undefined });
      }}
    >
      <h2>Join your team's workspace</h2>
      <label className="field">
        Invitation
        <input
          type="text"
          value={form.address}
          onChange={set('address')}
          required
          placeholder="Paste what an administrator sent you"
        />
        <span className="hint">They find it under Sharing and settings.</span>
      </label>
      <label className="field">
        Your name
        <input type="text" value={form.person} onChange={set('person')} required autoComplete="name" />
      </label>
      <label className="field">
        Your e-mail address (optional)
        <input type="email" value={form.email} onChange={set('email')} autoComplete="email" />
      </label>
      <Passphrase app={app} failed={join.error?.code} value={form.passphrase} set={(v) => setForm({ ...form, passphrase: v })} />
      <Failed error={join.error} />
      <div className="row between">
        <button type="button" className="btn plain" onClick={back}>
          Back
        </button>
        <button type="submit" className="btn primary" disabled={join.isPending}>
          {join.isPending ? 'Asking…' : 'Ask to join'}
        </button>
      </div>
    </form>
  );
}

/** Asked to join, and not let in yet. */
export function LetIn({ workspace }: { workspace: WorkspaceInfo }) {
  const share = useAct('sharing.share');
  return (
    <main className="welcome">
      <div>
        <header className="hero">
          <Logo size={64} />
          <h1>You asked to join {workspace.name}</h1>
          <p>Tell an administrator these four words, by phone or face to face. They see the same words and let you in.</p>
        </header>
        <div className="card stack">
          <p className="words">{workspace.phrase}</p>
          <Failed error={share.error} />
          <button type="button" className="btn primary" disabled={share.isPending} onClick={() => share.mutate({})}>
            {share.isPending ? 'Looking…' : 'Look whether I am in'}
          </button>
        </div>
        <UseRecovery />
      </div>
    </main>
  );
}

/** The key lies in a file that a passphrase encrypts. */
export function Locked() {
  const unlock = useAct('workspace.unlock');
  const [passphrase, set] = useState('');
  return (
    <main className="welcome">
      <div>
        <header className="hero">
          <Logo size={64} />
          <h1>Enter your passphrase</h1>
          <p>It opens this computer's signing key for as long as Cairn runs.</p>
        </header>
        <form
          className="card stack"
          onSubmit={(e) => {
            e.preventDefault();
            unlock.mutate({ passphrase });
          }}
        >
          <label className="field">
            Passphrase
            <input
              type="password"
              value={passphrase}
              required
              onChange={(e) => set(e.target.value)}
              autoComplete="current-password"
            />
          </label>
          <Failed error={unlock.error} />
          <button type="submit" className="btn primary" disabled={unlock.isPending}>
            Open
          </button>
        </form>
      </div>
    </main>
  );
}
