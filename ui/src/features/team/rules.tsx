import { Link } from '@tanstack/react-router';
import { useAct, useCommand } from '../../host/cache';
import { Badge, Failed } from '../../parts/bits';

/** By which rules releases are judged; an owner adopts newer ones, knowing what they would change. */
export function Rules() {
  const rules = useCommand('rules.get', {});
  const adopt = useAct('rules.adopt');
  if (rules.error) return <Failed error={rules.error} />;
  if (!rules.data || rules.data.adopted >= rules.data.known) return null;
  const r = rules.data;
  return (
    <section className="card stack" aria-labelledby="rules">
      <h2 id="rules">Newer rules for releases</h2>
      <p>
        This workspace judges releases by rules of an earlier Cairn. With the newer ones a request holds fast what it is judged
        by, whoever built a version does not approve it, earlier rejections are remembered, and the page that was shown is kept.
      </p>
      <p className="muted small">
        Members with an earlier Cairn then see “undetermined” until they update; new releases can be requested only after this.
      </p>
      {r.would_change.length > 0 && (
        <>
          <h3>What becomes of what is approved now</h3>
          <ul className="stack">
            {r.would_change.map((c) => (
              <li key={c.release}>
                <Badge tone={c.effect === 'held_up' ? 'warn' : 'good'}>{c.effect === 'held_up' ? '⚠ Held up' : '✓ Stays'}</Badge>{' '}
                <Link to="/releases/$release" params={{ release: c.release }}>
                  {c.title}
                </Link>{' '}
                ({c.project_title}): {c.sentence}
              </li>
            ))}
          </ul>
        </>
      )}
      <Failed error={adopt.error} />
      {r.i_may_adopt ? (
        <div className="row">
          <button type="button" className="btn primary" disabled={adopt.isPending} onClick={() => adopt.mutate({})}>
            Adopt the newer rules
          </button>
        </div>
      ) : (
        <p>An owner of the workspace can adopt them.</p>
      )}
    </section>
  );
}
