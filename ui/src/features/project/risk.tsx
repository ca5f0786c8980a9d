import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ClassStatement } from '../../host/commands.gen';
import { Badge, Failed, Say, Time } from '../../parts/bits';
import { ReasonDialog } from '../../parts/reason';

/** Who stated which class and why, and what waits for a second person. */
export function RiskStatements({ project }: { project: string }) {
  const risk = useCommand('risk.get', { project });
  const [agreeing, agree] = useState<ClassStatement | null>(null);
  const say = useAct('risk.agree');
  if (risk.error) return <Failed error={risk.error} />;
  if (!risk.data || (risk.data.stated.length === 0 && risk.data.proposals.length === 0)) return null;
  const r = risk.data;
  return (
    <div className="stack small">
      {r.contested && (
        <Say tone="warn">
          Two people stated different classes without knowing of each other. The strictest holds until somebody who may states one
          in knowledge of both.
        </Say>
      )}
      <ul className="stack">
        {r.stated.map((s) => (
          <li key={s.id}>
            <Badge tone="good">✓ {s.class}</Badge> {s.by.name}: “{s.reason}” <Time ms={s.at_ms} />
          </li>
        ))}
        {r.proposals.map((s) => (
          <li key={s.id}>
            <Badge tone="warn">? {s.class}</Badge> {s.by.name}: “{s.reason}” <Time ms={s.at_ms} />
            <div className="muted">{s.open}</div>
            {s.i_may_agree && (
              <button type="button" className="btn" onClick={() => agree(s)}>
                Agree…<span className="sr"> to {s.class} risk</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {agreeing && (
        <ReasonDialog
          title={`Agree to ${agreeing.class} risk`}
          label="Why is the lower class right?"
          verb="Agree"
          error={say.error}
          pending={say.isPending}
          onClose={() => agree(null)}
          onSay={(reason) => say.mutate({ project, proposal: agreeing.id, reason }, { onSuccess: () => agree(null) })}
        >
          <p>
            {agreeing.by.name} says: “{agreeing.reason}”. Approvals under the old class become stale, and everybody sees that you
            agreed.
          </p>
        </ReasonDialog>
      )}
    </div>
  );
}

/** Asks why before another class is stated. */
export function ClassReason({ project, to, onClose }: { project: string; to: string; onClose: () => void }) {
  const set = useAct('risk.set');
  return (
    <ReasonDialog
      title={`State ${to} risk`}
      label="Why is this class right?"
      placeholder="What an error costs whom"
      verb="State the class"
      error={set.error}
      pending={set.isPending}
      onClose={onClose}
      onSay={(reason) => set.mutate({ project, class: to, reason }, { onSuccess: onClose })}
    >
      <p>
        Approvals that rest on the class become stale. A lower class than holds now, once there are data, waits until somebody
        else in another role agrees.
      </p>
    </ReasonDialog>
  );
}
