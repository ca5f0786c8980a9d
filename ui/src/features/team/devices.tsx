import { useState } from 'react';
import { useAct } from '../../host/cache';
import type { DeviceRow, MemberRow } from '../../host/commands.gen';
import { Badge, Failed } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

const ENDED: Record<string, string> = {
  retired: 'Out of service',
  compromised: 'Removed as compromised',
  sealed: 'Put out of service',
  rotated: 'Goes on with a new key',
};

type Asking = { kind: 'remove' | 'readmit' | 'seal'; device: DeviceRow };

/** The computers of a member, with what can be done about each. */
export function Devices({ member, mayManage }: { member: MemberRow; mayManage: boolean }) {
  const rotate = useAct('device.rotate');
  const toast = useToast();
  const [asking, ask] = useState<Asking | null>(null);
  return (
    <div className="stack" style={{ gap: 4 }}>
      {member.devices.map((d) => (
        <div key={d.id} className="row small muted">
          {d.name} {d.this_one && <Badge tone="accent">This one</Badge>}
          {d.removed && <Badge tone={d.ended === 'rotated' ? 'plain' : 'bad'}>{ENDED[d.ended ?? ''] ?? '✕ Removed'}</Badge>}
          {d.held > 0 && <Badge tone="warn">{d.held} held</Badge>}
          {d.removed && mayManage && d.ended !== 'rotated' && (
            <button type="button" className="btn plain" onClick={() => ask({ kind: 'readmit', device: d })}>
              Let in again…
            </button>
          )}
          {!d.removed && !d.this_one && (mayManage || member.me) && (
            <button type="button" className="btn plain" onClick={() => ask({ kind: 'remove', device: d })}>
              Remove…
            </button>
          )}
          {!d.removed && d.this_one && (
            <>
              <button
                type="button"
                className="btn plain"
                disabled={rotate.isPending}
                onClick={() => rotate.mutate({}, { onSuccess: () => toast('This computer has a new key.') })}
              >
                New key
              </button>
              <button type="button" className="btn plain" onClick={() => ask({ kind: 'seal', device: d })}>
                Out of service…
              </button>
            </>
          )}
        </div>
      ))}
      <Failed error={rotate.error} />
      {asking && <Ask asking={asking} name={member.name} onClose={() => ask(null)} />}
    </div>
  );
}

const WORDS = {
  remove: {
    title: (n: string, d: string) => `Remove ${n}'s computer “${d}”`,
    text: 'What it wrote until now stays. What it writes from now on is kept and shown, but does not count.',
    button: 'Remove the computer',
    example: 'For example: the person left',
  },
  readmit: {
    title: (n: string, d: string) => `Let ${n}'s computer “${d}” in again`,
    text: 'Everything that was held of it counts again.',
    button: 'Let it in again',
    example: 'For example: it was found, nobody had it',
  },
  seal: {
    title: (_: string, d: string) => `Put “${d}” out of service`,
    text: 'Its last word: it writes nothing more. What it wrote stays. Share first, so that nothing is left behind.',
    button: 'Put it out of service',
    example: 'For example: replaced by a new laptop',
  },
};

function Ask({ asking: { kind, device }, name, onClose }: { asking: Asking; name: string; onClose: () => void }) {
  const remove = useAct('device.remove');
  const readmit = useAct('device.readmit');
  const seal = useAct('device.seal');
  const [reason, setReason] = useState('');
  const [stolen, setStolen] = useState(false);
  const [since, setSince] = useState('');
  const words = WORDS[kind];
  const done = { onSuccess: onClose };
  const act = () => {
    if (kind === 'readmit') readmit.mutate({ device: device.id, reason }, done);
    else if (kind === 'seal') seal.mutate({ reason }, done);
    else remove.mutate({ device: device.id, reason, compromised_since_ms: stolen ? new Date(since).getTime() : undefined }, done);
  };
  return (
    <Dialog open onClose={onClose} title={words.title(name, device.name)}>
      <p>{words.text}</p>
      <label className="field">
        Reason
        <textarea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={words.example} />
      </label>
      {kind === 'remove' && (
        <>
          <label className="check">
            <input type="checkbox" checked={stolen} onChange={(e) => setStolen(e.target.checked)} />
            Somebody else may have had it
          </label>
          {stolen && (
            <label className="field">
              Since when, at the latest?
              <input type="datetime-local" value={since} onChange={(e) => setSince(e.target.value)} required />
              <span className="hint">What it wrote since then does not count any more, approvals included.</span>
            </label>
          )}
        </>
      )}
      <Failed error={remove.error ?? readmit.error ?? seal.error} />
      <div className="row between">
        <button type="button" className="btn plain" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={kind === 'readmit' ? 'btn primary' : 'btn danger'}
          disabled={!reason.trim() || (stolen && !since) || remove.isPending || readmit.isPending || seal.isPending}
          onClick={act}
        >
          {words.button}
        </button>
      </div>
    </Dialog>
  );
}
