import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { Badge, Empty, Failed, Say, Time, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';

export function SettingsScreen() {
  const sharing = useCommand('sharing.status', {});
  const app = useCommand('app.status', {});
  const doctor = useCommand('app.doctor', {});
  const setRemote = useAct('sharing.set_remote');
  const share = useAct('sharing.share');
  const verify = useAct('log.verify');
  const toast = useToast();
  const [address, setAddress] = useState<string | null>(null);
  if (sharing.error) return <Failed error={sharing.error} />;
  if (!sharing.data) return <Waiting lines={8} />;
  const s = sharing.data;
  return (
    <div className="page">
      <h1>Sharing and settings</h1>
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
        <p className="muted">
          {s.waiting === 0 ? 'Everything is shared.' : `${s.waiting} changes wait to be shared.`}{' '}
          {s.last_ok_ms && (
            <>
              Last shared <Time ms={s.last_ok_ms} />.
            </>
          )}
        </p>
        <Failed error={share.error ?? s.last_error ?? setRemote.error} />
        {s.last_error && <p className="muted">Your work is saved here, and nothing is lost.</p>}
        {app.data?.workspace?.invitation && (
          <div className="field">
            Invitation
            <code>{app.data.workspace.invitation}</code>
          </div>
        )}
      </section>
      <section className="card flush" aria-label="Computers">
        <h2 style={{ padding: '16px 20px 8px' }}>Computers</h2>
        <table>
          <thead>
            <tr>
              <th>Computer</th>
              <th>Person</th>
              <th>Last heard of</th>
              <th>State</th>
            </tr>
          </thead>
          <tbody>
            {s.devices.map((d) => (
              <tr key={d.device}>
                <td>{d.name}</td>
                <td>{d.person.name}</td>
                <td>{d.last_seen_ms ? <Time ms={d.last_seen_ms} /> : 'never'}</td>
                <td>
                  {d.this_one && <Badge tone="accent">This one</Badge>} {d.removed && <Badge tone="bad">✕ Removed</Badge>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section className="card stack" aria-label="Refused">
        <h2>What was refused</h2>
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
              <Badge tone="bad">{n.state === 'held' ? 'Held' : '✕ Refused'}</Badge> {n.operation} by {n.person.name}: {n.reason}.{' '}
              <small className="muted">
                <Time ms={n.at_ms} />
              </small>
            </li>
          ))}
        </ul>
      </section>
      <section className="card stack">
        <h2>Check the history</h2>
        <p className="muted">Checks every signature again, from the first entry.</p>
        <div className="row">
          <button type="button" className="btn" disabled={verify.isPending} onClick={() => verify.mutate({})}>
            {verify.isPending ? 'Checking…' : 'Check everything'}
          </button>
        </div>
        <Failed error={verify.error} />
        {verify.data &&
          (verify.data.problems.length === 0 ? (
            <Say tone="good">{verify.data.operations.toLocaleString('en')} entries checked: everything is as it was signed.</Say>
          ) : (
            <Say tone="warn">
              {verify.data.problems.map((p) => (
                <div key={p}>{p}</div>
              ))}
            </Say>
          ))}
      </section>
      <section className="card stack">
        <h2>This computer</h2>
        {doctor.data?.length === 0 && <Empty title="Nothing to say">All is well.</Empty>}
        <ul className="list">
          {doctor.data?.map((f) => (
            <li key={f.what} className="row" style={{ padding: '6px 0' }}>
              <Badge tone={f.good ? 'good' : 'warn'}>{f.good ? '✓ Good' : '⚠ To mend'}</Badge>
              <span className="grow">
                {f.what} {f.mend && <span className="muted">{f.mend}</span>}
              </span>
            </li>
          ))}
        </ul>
        <p className="muted small">Cairn {app.data?.version}</p>
      </section>
    </div>
  );
}
