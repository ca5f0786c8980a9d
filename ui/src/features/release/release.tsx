import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Release } from '../../host/commands.gen';
import { Badge, Failed, lower, Say, State, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { CardPage } from '../card/page';
import { Threads } from '../comment/threads';

const DECISION: Record<string, [string, Tone]> = {
  approved: ['✓ Approved', 'good'],
  rejected: ['✕ Rejected', 'bad'],
  sent_back: ['↩ Sent back', 'warn'],
};

/** One page: what is asked, the card in plain words, who signed, and the decision. */
export function ReleaseScreen() {
  const { release: id = '' } = useParams({ strict: false });
  const release = useCommand('release.get', { release: id });
  const version = release.data?.version.id ?? '';
  const card = useCommand('card.get', { version }, { enabled: version !== '' });
  if (release.error) return <Failed error={release.error} />;
  if (!release.data) return <Waiting lines={10} />;
  const r = release.data;
  return (
    <div className="page narrow">
      <Link to="/projects/$project/$tab" params={{ project: r.project, tab: 'models' }}>
        ← {r.project_title}
      </Link>
      <header className="row between">
        <h1>
          May {r.version.model_name} version {r.version.number} go live?
        </h1>
        <State state={r.state} />
      </header>
      <Say tone={r.state === 'approved' ? 'good' : r.state === 'waiting' ? 'info' : 'warn'}>{r.sentence}</Say>
      <section className="card">
        <p>
          <strong>{r.requested_by.name}</strong> asks: “{r.reason}”
        </p>
        <p className="muted small">
          {new Date(r.requested_ms).toLocaleString()} · Risk class: {r.risk_class || 'not set'}
        </p>
      </section>
      {r.signoffs.length > 0 && (
        <section className="card stack" aria-label="Signatures">
          <h2>Signatures</h2>
          {r.signoffs.map((s) => {
            const [word, tone] = DECISION[s.decision] ?? [s.decision, 'plain'];
            return (
              <div key={s.id}>
                <div className="row">
                  <Badge tone={tone}>{word}</Badge> <strong>{s.by.name}</strong> as {lower(s.role.label)}
                  {!s.fresh && <Badge tone="warn">⚠ Stale: {s.changed.join(', ')} changed since</Badge>}
                </div>
                <p>“{s.reason}”</p>
                <p className="muted small">Signed {s.claimed_at} (the signer's clock)</p>
              </div>
            );
          })}
        </section>
      )}
      {card.data && <CardPage card={card.data} />}
      <details className="card">
        <summary>What a signature binds to</summary>
        <table className="mono small">
          <tbody>
            {r.binds.map((b) => (
              <tr key={b.name}>
                <td>{b.name}</td>
                <td>{b.sha256}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <div className="card">
        <Threads about={{ kind: 'release', id: r.id }} ask={{ kind: 'member', id: r.requested_by.id }} />
      </div>
      <Decide release={r} digest={card.data?.digest ?? ''} />
    </div>
  );
}

const VERBS = {
  approved: ['Approve', 'Approve and sign', 'You say: this version may go live.'],
  sent_back: ['Send back', 'Send back and sign', 'You say: please change something first. The request stays open.'],
  rejected: ['Reject', 'Reject and sign', 'You say: no. A new version and a new request are then the only way on.'],
} as const;

function Decide({ release, digest }: { release: Release; digest: string }) {
  const sign = useAct('release.sign');
  const withdraw = useAct('release.withdraw');
  const toast = useToast();
  const [deciding, decide] = useState<keyof typeof VERBS | null>(null);
  const [reason, setReason] = useState('');
  const fits = release.i_may_sign_as.filter((r) => release.missing.some((m) => m.id === r.id));
  const [role, setRole] = useState('');
  const as = role || fits[0]?.id || release.i_may_sign_as[0]?.id || '';
  const open = release.state === 'waiting' || release.state === 'stale' || release.state === 'sent_back';
  if (!open) return null;
  if (release.i_may_sign_as.length === 0) {
    return (
      <div className="decide row between">
        <span className="muted">{release.why_not}.</span>
        {release.mine && (
          <button type="button" className="btn" onClick={() => withdraw.mutate({ release: release.id })}>
            Withdraw the request
          </button>
        )}
      </div>
    );
  }
  return (
    <div className="decide row between">
      <span>
        Decide as <strong>{lower(release.i_may_sign_as.find((r) => r.id === as)?.label ?? '')}</strong>
      </span>
      <div className="row">
        {(Object.keys(VERBS) as (keyof typeof VERBS)[]).map((key) => (
          <button
            key={key}
            type="button"
            className={`btn ${key === 'approved' ? 'primary' : key === 'rejected' ? 'danger' : ''}`}
            onClick={() => decide(key)}
          >
            {VERBS[key][0]}…
          </button>
        ))}
      </div>
      {deciding && (
        <Dialog
          open
          onClose={() => decide(null)}
          title={`${VERBS[deciding][0]}: ${release.version.model_name} version ${release.version.number}`}
        >
          <form
            className="stack"
            onSubmit={(e) => {
              e.preventDefault();
              sign.mutate(
                { release: release.id, decision: deciding, role: as, reason, card_digest: digest },
                {
                  onSuccess: () => {
                    decide(null);
                    setReason('');
                    toast('Signed.');
                  },
                },
              );
            }}
          >
            <p>{VERBS[deciding][2]}</p>
            <ul className="small">
              <li>You sign exactly what stands on this page: the model's files, its card and its data.</li>
              <li>If any of it changes later, your signature no longer counts, and everybody sees that.</li>
              <li>Your name, role, reason and the time are kept for ever.</li>
            </ul>
            {release.i_may_sign_as.length > 1 && (
              <label className="field">
                In which role?
                <select value={as} onChange={(e) => setRole(e.target.value)}>
                  {release.i_may_sign_as.map((r) => (
                    <option key={r.id} value={r.id}>
                      {r.label}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <label className="field">
              Reason
              <textarea value={reason} onChange={(e) => setReason(e.target.value)} required placeholder="A sentence is enough." />
            </label>
            <Failed error={sign.error} />
            <div className="row between">
              <button type="button" className="btn plain" onClick={() => decide(null)}>
                Cancel
              </button>
              <button
                type="submit"
                className={`btn ${deciding === 'rejected' ? 'danger' : 'primary'}`}
                disabled={sign.isPending || digest === ''}
              >
                {VERBS[deciding][1]}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}
