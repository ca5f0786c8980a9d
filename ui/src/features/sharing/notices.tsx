import { useAct, useCommand } from '../../host/cache';
import { Failed } from '../../parts/bits';

/** Whether this computer tells of what waits while the window is not in front. */
export function Notices() {
  const notices = useCommand('inbox.notices', {});
  const set = useAct('inbox.set_notices');
  if (!notices.data) return null;
  return (
    <section className="card stack">
      <h2>Messages</h2>
      <label className="check">
        <input
          type="checkbox"
          checked={notices.data.on}
          disabled={set.isPending}
          onChange={(e) => set.mutate({ on: e.target.checked })}
        />
        Tell me on this computer when something begins to wait for me
      </label>
      <p className="muted">
        A message of the system, while Cairn is open and not in front: a decision, a handoff, a question, a mention, a day that is
        over. A click opens it.
      </p>
      <Failed error={set.error} />
    </section>
  );
}
