import { useState } from 'react';
import { useAct } from '../../host/cache';
import type { Release } from '../../host/commands.gen';
import { Failed, lower } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { ReasonDialog } from '../../parts/reason';
import { useToast } from '../../parts/toast';

const VERBS = {
  approved: ['Approve', 'Approve and sign', 'You say: this version may go live.'],
  sent_back: ['Send back', 'Send back and sign', 'You say: please change something first. The request stays open.'],
  rejected: ['Reject', 'Reject and sign', 'You say: no. A new request, which answers what you say, is then the only way on.'],
  taken_back: [
    'Take the approval back',
    'Take back and sign',
    'You say: your approval no longer holds. The gate closes at once; it stays closed until your role approves again.',
  ],
} as const;
type Verb = keyof typeof VERBS;

/** The bar at the foot of the page: what I may do with this request. */
export function Decide({ release, page }: { release: Release; page: string }) {
  const [deciding, decide] = useState<Verb | null>(null);
  const open = ['waiting', 'stale', 'sent_back', 'taken_back'].includes(release.state);
  // Approved, and held up by a criterion that was not passed: the same role approves again by better numbers.
  const again = release.state === 'approved' && release.i_may_sign_as.length > 0;
  const mayDecide = (open || again) && release.i_may_sign_as.length > 0;
  const verbs: Verb[] = mayDecide ? ['approved', 'sent_back', 'rejected'] : release.i_may_take_back ? ['taken_back'] : [];
  if (!open && verbs.length === 0) return null;
  const mine = release.signoffs.find((s) => s.decision === 'approved' && s.not_counted === null)?.role;
  const roles = mayDecide ? release.i_may_sign_as : mine ? [mine] : [];
  const fits = roles.find((r) => release.missing.some((m) => m.id === r.id)) ?? roles[0];
  return (
    <div className="decide row between">
      {verbs.length === 0 ? (
        <span className="muted">{release.why_not}.</span>
      ) : (
        <span>
          {mayDecide ? 'Decide as ' : 'You approved this as '}
          <strong>{lower(fits?.label ?? '')}</strong>
        </span>
      )}
      <div className="row">
        {verbs.map((key) => (
          <button
            key={key}
            type="button"
            className={`btn ${key === 'approved' ? 'primary' : key === 'sent_back' ? '' : 'danger'}`}
            onClick={() => decide(key)}
          >
            {VERBS[key][0]}…
          </button>
        ))}
        {release.mine && open && <Withdraw release={release.id} />}
      </div>
      {deciding && (
        <Sign release={release} page={page} verb={deciding} first={fits?.id ?? ''} roles={roles} onClose={() => decide(null)} />
      )}
    </div>
  );
}

function Withdraw({ release }: { release: string }) {
  const withdraw = useAct('release.withdraw');
  const [asking, ask] = useState(false);
  return (
    <>
      <button type="button" className="btn" onClick={() => ask(true)}>
        Withdraw the request
      </button>
      {asking && (
        <ReasonDialog
          title="Withdraw the request"
          label="Why is it no longer asked?"
          verb="Withdraw the request"
          error={withdraw.error}
          pending={withdraw.isPending}
          onClose={() => ask(false)}
          onSay={(reason) => withdraw.mutate({ release, reason }, { onSuccess: () => ask(false) })}
        />
      )}
    </>
  );
}

interface SignProps {
  release: Release;
  page: string;
  verb: Verb;
  first: string;
  roles: { id: string; label: string }[];
  onClose: () => void;
}

function Sign({ release, page, verb, first, roles, onClose }: SignProps) {
  const sign = useAct('release.sign');
  const toast = useToast();
  const [reason, setReason] = useState('');
  const [role, setRole] = useState(first);
  return (
    <Dialog open onClose={onClose} title={`${VERBS[verb][0]}: ${release.version.model_name} version ${release.version.number}`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          // The bar may be gone before the answer is here: what follows a signature must not hang on it.
          void sign.mutateAsync({ release: release.id, decision: verb, role, reason, page }).then(
            () => {
              onClose();
              toast('Signed.');
            },
            () => undefined,
          );
        }}
      >
        <p>{VERBS[verb][2]}</p>
        <ul className="small">
          <li>You sign exactly what stands on this page. It is kept with your signature, as you saw it.</li>
          <li>
            If the card, the data, the criteria or the risk class change later, your signature no longer counts, and everybody
            sees that.
          </li>
          <li>Your name, role, reason and the time are kept for ever.</li>
        </ul>
        {roles.length > 1 && (
          <label className="field">
            In which role?
            <select value={role} onChange={(e) => setRole(e.target.value)}>
              {roles.map((r) => (
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
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={`btn ${verb === 'approved' ? 'primary' : verb === 'sent_back' ? '' : 'danger'}`}
            disabled={sign.isPending || page === ''}
          >
            {VERBS[verb][1]}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
