import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { Release, SignoffView } from '../../host/commands.gen';
import { Badge, Failed, lower, type Tone, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Html } from '../../parts/html';
import { bodyOf } from './page';

const DECISION: Record<string, [string, Tone]> = {
  approved: ['✓ Approved', 'good'],
  rejected: ['✕ Rejected', 'bad'],
  sent_back: ['↩ Sent back', 'warn'],
  taken_back: ['↩ Took the approval back', 'bad'],
};

/** Who decided, whether it counts, when it was by whose clock, and what they were shown. */
export function Signatures({ release }: { release: Release }) {
  if (release.signoffs.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="signatures">
      <h2 id="signatures">Signatures</h2>
      {release.older && (
        <p className="muted small">
          Made under the rules of an earlier Cairn: they bind the card by its digest, and no page was kept.
        </p>
      )}
      {release.signoffs.map((s) => (
        <Signature key={s.id} signed={s} />
      ))}
    </section>
  );
}

function Signature({ signed: s }: { signed: SignoffView }) {
  const [word, tone] = DECISION[s.decision] ?? [s.decision, 'plain'];
  const [looking, look] = useState(false);
  return (
    <div>
      <div className="row">
        <Badge tone={s.not_counted ? 'plain' : tone}>{word}</Badge> <strong>{s.by.name}</strong> as {lower(s.role.label)}
        {!s.fresh && <Badge tone="warn">⚠ {s.changed.join(', ')} changed since</Badge>}
        {s.not_counted && <Badge tone="warn">⚠ Does not count</Badge>}
      </div>
      <p>“{s.reason}”</p>
      {s.not_counted && <p className="small">{s.not_counted}</p>}
      {s.clock && <p className="small">⚠ {s.clock}</p>}
      <p className="muted small">
        Signed {s.claimed_at} (the signer's clock){s.seen_by && `; ${s.seen_by}`}
      </p>
      {s.page && (
        <button type="button" className="btn plain" onClick={() => look(true)}>
          What {s.by.name} was shown
        </button>
      )}
      {looking && <Kept signoff={s.id} name={s.by.name} onClose={() => look(false)} />}
    </div>
  );
}

function Kept({ signoff, name, onClose }: { signoff: string; name: string; onClose: () => void }) {
  const kept = useCommand('release.kept_page', { signoff });
  return (
    <Dialog open onClose={onClose} title={`What ${name} was shown`} className="wide">
      <div className="stack">
        <Failed error={kept.error} />
        {!kept.data && !kept.error && <Waiting lines={10} />}
        {kept.data && kept.data.html === null && <p>The page has not arrived on this computer yet. Share, and look again.</p>}
        {kept.data?.html && <Html className="prose signed-page" html={bodyOf(kept.data.html)} />}
        {kept.data && (
          <p className="muted small">
            sha256 <code>{kept.data.sha256}</code>, which the signed statement names
          </p>
        )}
        <div className="row">
          <button type="button" className="btn" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
