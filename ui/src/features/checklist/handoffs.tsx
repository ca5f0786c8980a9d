import { Link } from '@tanstack/react-router';
import { useAct, useCommand } from '../../host/cache';
import type { Checklist, Project } from '../../host/commands.gen';
import { Badge, Empty, Failed, State, Waiting } from '../../parts/bits';
import { Due } from '../../parts/party';

export function Handoffs({ project }: { project: Project }) {
  const lists = useCommand('checklist.list', { project: project.id });
  const start = useAct('checklist.start');
  if (lists.error) return <Failed error={lists.error} />;
  if (!lists.data) return <Waiting />;
  // What the present stage asks for and nobody has begun in this cycle.
  const waiting = project.gate
    .map((g) => (g.met ? null : g.gate))
    .filter((gate): gate is string => gate !== null)
    .filter(
      (gate) => !lists.data.some((l) => l.gate === gate && l.cycle === project.cycle && l.template === project.template.id),
    );
  return (
    <div className="stack wide">
      {waiting.length > 0 && (
        <div className="card">
          <Empty
            title={waiting.length === 1 ? 'A handoff is next' : 'Handoffs are next'}
            action={
              <div className="row">
                {waiting.map((gate) => (
                  <button
                    key={gate}
                    type="button"
                    className="btn primary"
                    onClick={() => start.mutate({ project: project.id, gate })}
                  >
                    Begin the checklist {gate}
                  </button>
                ))}
              </div>
            }
          >
            A handoff is a short checklist: what the next person needs, with a link to where it can be seen.
          </Empty>
          <Failed error={start.error} />
        </div>
      )}
      {lists.data.map((list) => (
        <HandoffRow key={list.id} list={list} />
      ))}
    </div>
  );
}

/** A handoff in a line, with who has it; the page of its own has the rest. */
function HandoffRow({ list }: { list: Checklist }) {
  return (
    <section className="card" aria-label={`${list.gate}: ${list.title}`}>
      <div className="row between">
        <h2>
          <Link to="/handoffs/$checklist" params={{ checklist: list.id }}>
            {list.gate}: {list.title}
          </Link>
        </h2>
        <div className="row">
          <State state={list.state} />
          {list.blocked && <Badge tone="bad">■ Blocked</Badge>}
          {list.questions > 0 && <Badge tone="warn">? {list.questions} open</Badge>}
        </div>
      </div>
      <p className="small muted">
        Cycle {list.cycle} · {list.done} of {list.items.length} done ·{' '}
        {list.receiver ? `with ${list.receiver.name}` : list.holder ? `with ${list.holder.name}` : `for the ${list.from.label}`}{' '}
        <Due day={list.due} over={list.state !== 'accepted'} />
      </p>
    </section>
  );
}
