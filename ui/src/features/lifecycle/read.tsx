import type { LifecycleDifference, LifecycleItem, LifecycleView } from '../../host/commands.gen';
import { Badge, lower } from '../../parts/bits';
import { Explained } from '../../parts/term';

const HOW: Record<string, [string, string]> = {
  records: ['seen by Cairn', 'Cairn sees it in its records; nobody ticks it'],
  statement: ['stated', 'Somebody states it with their name'],
  tick: ['ticked', 'Somebody ticks it, with a word or a link'],
};

/** A lifecycle as people read it: what each stage asks for, and what is handed over. */
export function LifecycleRead({ view, level = 3 }: { view: LifecycleView; level?: 3 | 4 }) {
  const Heading = level === 3 ? 'h3' : 'h4';
  return (
    <div className="stack">
      <ol className="stages">
        {view.stages.map((s) => (
          <li key={s.id}>
            <Heading>{s.name}</Heading>
            <p className="muted">{s.purpose}</p>
            <ul>
              {s.requirements.map((q) => (
                <li key={q.id}>
                  <Explained text={q.text} /> <small className="muted">{lower(q.role.label)}</small>
                </li>
              ))}
              {s.requirements.length === 0 && <li className="muted">Nothing: the project simply moves on.</li>}
            </ul>
          </li>
        ))}
      </ol>
      {view.checklists.map((c) => (
        <details key={c.gate}>
          <summary>
            <strong>
              {c.gate}: {c.title}
            </strong>{' '}
            <span className="muted">
              {lower(c.from.label)} to {lower(c.to.label)}, {c.items.length} {c.items.length === 1 ? 'item' : 'items'},{' '}
              {c.items.filter((i) => i.blocks).length} of them needed
            </span>
          </summary>
          <ul className="list">
            {c.items.map((i) => (
              <Item key={i.id} item={i} />
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}

function Item({ item }: { item: LifecycleItem }) {
  const how = HOW[item.kind];
  return (
    <li style={{ padding: '6px 0' }}>
      <small className="muted">{item.id}</small> <Explained text={item.text} /> {item.blocks && <Badge tone="warn">Needed</Badge>}
      <div className="small muted">
        <span title={how?.[1]}>{how?.[0]}</span> · {item.role.label}
        {item.nobody && ' (nobody holds this role yet)'} · {item.source}
      </div>
    </li>
  );
}

/** What somebody gains and loses who moves from one lifecycle to another. */
export function DifferenceOf({ found, level = 3 }: { found: LifecycleDifference; level?: 3 | 4 }) {
  const Heading = level === 3 ? 'h3' : 'h4';
  const count = found.added.length + found.removed.length + found.changed.length;
  if (count === 0) return <p className="muted">Both ask for the same.</p>;
  const part = (title: string, all: LifecycleDifference['added'], sign: string, tone: string) =>
    all.length > 0 && (
      <section>
        <Heading>
          {title} <small className="muted">{all.length}</small>
        </Heading>
        <ul className="list small">
          {all.map((c) => (
            <li key={c.id}>
              <span className={tone}>{sign}</span> <small className="muted">{c.id}</small>{' '}
              {c.before && c.after ? (
                <>
                  <del>{c.before}</del> <ins>{c.after}</ins>
                </>
              ) : (
                (c.before ?? c.after)
              )}
            </li>
          ))}
        </ul>
      </section>
    );
  return (
    <div className="stack difference">
      {part('Not asked for any more', found.removed, '−', 'loss')}
      {part('Asked for from now on', found.added, '+', 'gain')}
      {part('Changed', found.changed, '±', 'muted')}
    </div>
  );
}
