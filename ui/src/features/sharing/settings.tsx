import { useAct, useCommand } from '../../host/cache';
import { Badge, Empty, Failed, Say, Time, Waiting } from '../../parts/bits';
import { FileSettings, SourceRecording } from './files';
import { Notices } from './notices';
import { Alarms, NotCounted, Place } from './place';

export function SettingsScreen() {
  const sharing = useCommand('sharing.status', {});
  const app = useCommand('app.status', {});
  const doctor = useCommand('app.doctor', {});
  const verify = useAct('log.verify');
  if (sharing.error) return <Failed error={sharing.error} />;
  if (!sharing.data) return <Waiting lines={8} />;
  const s = sharing.data;
  return (
    <div className="page">
      <h1>Sharing and settings</h1>
      <Alarms status={s} />
      <Place status={s} invitation={app.data?.workspace?.invitation} />
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
      <NotCounted status={s} />
      <FileSettings />
      <SourceRecording />
      <Notices />
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
