import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { SharingStatus } from '../../host/commands.gen';
import { Badge, Failed, Say, Time } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

/** Where the team shares, how it goes, and what to try when it does not. */
export function Place({ status: s, invitation }: { status: SharingStatus; invitation?: string | null }) {
  const setRemote = useAct('sharing.set_remote');
  const share = useAct('sharing.share');
  const automatic = useAct('sharing.set_automatic');
  const probe = useAct('sharing.probe');
  const toast = useToast();
  const [address, setAddress] = useState<string | null>(null);
  const [signing, sign] = useState(false);
  return (
    <section className="card stack">
      <h2>Shared place</h2>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          setRemote.mutate(
            { address: address ?? '' },
            {
              onSuccess: () => {
                setAddress(null);
                toast('The shared place is set.');
              },
            },
          );
        }}
      >
        <input
          type="text"
          className="grow"
          style={{ width: 'auto' }}
          aria-label="Address of the shared place"
          placeholder="An empty repository or shared folder that your team reaches"
          value={address ?? s.remote ?? ''}
          onChange={(e) => setAddress(e.target.value)}
        />
        <button type="submit" className="btn" disabled={address === null}>
          Save the address
        </button>
        <button
          type="button"
          className="btn primary"
          disabled={!s.remote || share.isPending}
          onClick={() => share.mutate({}, { onSuccess: (r) => toast(`Sent ${r.sent}, received ${r.received}.`) })}
        >
          {share.isPending ? 'Sharing…' : 'Share now'}
        </button>
      </form>
      {share.isPending && <Progress />}
      <p className="muted">
        {s.waiting === 0 ? 'Everything is shared.' : `${s.waiting} changes wait to be shared.`}{' '}
        {s.last_ok_ms && (
          <>
            Last shared <Time ms={s.last_ok_ms} />.
          </>
        )}
      </p>
      {s.remote && (
        <div className="row">
          <label className="check">
            <input type="checkbox" checked={s.automatic} onChange={(e) => automatic.mutate({ automatic: e.target.checked })} />
            Share by itself, decisions at once
          </label>
          <span className="grow" />
          {s.remote.startsWith('http') && (
            <button type="button" className="btn plain" onClick={() => sign(true)}>
              Sign in…
            </button>
          )}
          <button type="button" className="btn plain" disabled={probe.isPending} onClick={() => probe.mutate({})}>
            {probe.isPending ? 'Trying…' : 'Try the place out'}
          </button>
        </div>
      )}
      {probe.data && (
        <Say tone={probe.data.good ? 'good' : 'warn'}>
          {probe.data.sentence}
          {probe.data.details && <div className="small muted">{probe.data.details}</div>}
        </Say>
      )}
      <Failed error={share.error ?? s.last_error ?? setRemote.error ?? probe.error} />
      {s.last_error && <p className="muted">Your work is saved here, and nothing is lost.</p>}
      {s.set_aside > 0 && (
        <Say tone="warn">
          This computer goes on under a new name. {s.set_aside} changes wait until an administrator has let it in again.
        </Say>
      )}
      {s.strangers_left > 0 && (
        <Say tone="warn">
          The shared place holds branches of many computers that nobody let in. {s.strangers_left} of them wait for their turn;
          each round looks at some. If nobody of yours made them, somebody else can write there: tell whoever runs the shared
          place.
        </Say>
      )}
      {invitation && (
        <div className="field">
          Invitation
          <code>{invitation}</code>
        </div>
      )}
      {signing && <SignIn onClose={() => sign(false)} />}
    </section>
  );
}

function Progress() {
  const progress = useCommand('sharing.progress', {}, { refetchInterval: 500 });
  const cancel = useAct('sharing.cancel');
  const p = progress.data;
  return (
    <div className="row" role="status">
      <span className="grow muted">
        {p ? p.what : 'Beginning'}
        {p?.total ? `: ${p.done.toLocaleString('en')} of ${p.total.toLocaleString('en')}` : '…'}
      </span>
      <button type="button" className="btn plain" onClick={() => cancel.mutate({})}>
        Stop
      </button>
    </div>
  );
}

function SignIn({ onClose }: { onClose: () => void }) {
  const signIn = useAct('sharing.sign_in');
  const [user, setUser] = useState('');
  const [secret, setSecret] = useState('');
  return (
    <Dialog open onClose={onClose} title="Sign in to the shared place">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          signIn.mutate({ user, secret }, { onSuccess: onClose });
        }}
      >
        <p>Best is a token that may write to this one place only. It is kept in this computer's keyring, nowhere else.</p>
        <label className="field">
          Name
          <input type="text" value={user} onChange={(e) => setUser(e.target.value)} autoComplete="username" />
        </label>
        <label className="field">
          Token or password
          <input type="password" value={secret} onChange={(e) => setSecret(e.target.value)} autoComplete="current-password" />
          <span className="hint">Leave it empty to forget the one that is kept.</span>
        </label>
        <Failed error={signIn.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={signIn.isPending}>
            Keep it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the shared place shows differently from what was accepted here, and what was mended on this computer. */
export function Alarms({ status: s }: { status: SharingStatus }) {
  const restore = useAct('sharing.restore');
  const toast = useToast();
  if (s.alarms.length + s.mended.length === 0) return null;
  return (
    <section className="card stack" aria-label="What happened">
      <h2>What happened</h2>
      {s.alarms.map((a) => (
        <Say key={a.device} tone="warn">
          <div>{a.sentence}</div>
          <div className="row">
            <small className="muted grow">
              Noticed <Time ms={a.since_ms} />. Ask whoever runs the place what was done there.
            </small>
            {a.kind !== 'withheld' && (
              <button
                type="button"
                className="btn"
                disabled={restore.isPending}
                onClick={() => restore.mutate({ device: a.device }, { onSuccess: () => toast('Put back as it was accepted.') })}
              >
                Put it back
              </button>
            )}
          </div>
        </Say>
      ))}
      <Failed error={restore.error} />
      {s.mended.map((m) => (
        <Say key={m.at_ms} tone="good">
          {m.sentence}{' '}
          <small className="muted">
            <Time ms={m.at_ms} />. What was damaged is kept in <code>{m.aside}</code>.
          </small>
        </Say>
      ))}
    </section>
  );
}

/** What arrived and does not count, with what can be done about it. */
export function NotCounted({ status: s }: { status: SharingStatus }) {
  return (
    <section className="card stack" aria-label="Refused">
      <h2>What does not count</h2>
      {s.refused.length + s.not_counted.length === 0 && (
        <p className="muted">Nothing. Everything that arrived was signed by a member who may do what was done.</p>
      )}
      <ul className="list">
        {s.refused.map((r) => (
          <li key={r.commit + r.code} style={{ padding: '8px 0' }}>
            <Badge tone="bad">✕ Refused</Badge> A change from {r.person.name} ({r.device.slice(0, 8)}…): {r.reason}.{' '}
            <small className="muted">
              <Time ms={r.at_ms} />
            </small>
          </li>
        ))}
        {s.not_counted.map((n) => (
          <li key={n.device + n.operation + n.at_ms} style={{ padding: '8px 0' }}>
            <Badge tone={n.state === 'unknown' ? 'warn' : 'bad'}>
              {n.state === 'held' ? 'Held' : n.state === 'unknown' ? 'Not understood' : '✕ Refused'}
            </Badge>{' '}
            {n.operation} by {n.person.name}: {n.reason}.{' '}
            <small className="muted">
              They say it was <Time ms={n.at_ms} />.{' '}
              {n.state === 'held' && 'It counts again when an administrator lets the computer in again or gives the role back.'}
              {n.state === 'unknown' && 'It counts after an update of Cairn on this computer.'}
              {n.state === 'refused' && 'Somebody with the role must do it again.'}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}
