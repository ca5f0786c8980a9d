import { Check, Circle } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Checklist, ChecklistItem, Project, SubjectRef } from '../../host/commands.gen';
import { Badge, Empty, Failed, lower, State, Time, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Evidence } from '../../parts/record';
import { useToast } from '../../parts/toast';

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
        <ChecklistCard key={list.id} list={list} project={project} />
      ))}
    </div>
  );
}

function ChecklistCard({ list, project }: { list: Checklist; project: Project }) {
  const pickUp = useAct('checklist.pick_up');
  const complete = useAct('checklist.complete');
  const handBack = useAct('checklist.hand_back');
  const [working, work] = useState<ChecklistItem | null>(null);
  const [returning, giveBack] = useState(false);
  const [reason, setReason] = useState('');
  const open = list.state !== 'completed';
  return (
    <section className="card stack" aria-label={`${list.gate}: ${list.title}`}>
      <div className="row between">
        <h2>
          {list.gate}: {list.title}
        </h2>
        <div className="row">
          <small className="muted">
            {list.done} of {list.items.length} done
          </small>
          <State state={list.state} />
          {list.holder && <Badge>{list.holder.name}</Badge>}
        </div>
      </div>
      {list.handed_back_why && <p>Handed back: “{list.handed_back_why}”</p>}
      <ul className="list">
        {list.items.map((item) => (
          <li key={item.id} className="row" style={{ padding: '8px 0', flexWrap: 'nowrap', alignItems: 'flex-start' }}>
            {item.done ? (
              <Check size={16} color="var(--good)" aria-label="Done" style={{ marginTop: 3 }} />
            ) : (
              <Circle size={16} aria-label="Open" style={{ marginTop: 3 }} />
            )}
            <div className="grow">
              <div>
                <small className="muted">{item.id}</small> {item.text}{' '}
                {item.blocks && !item.done && <Badge tone="warn">Needed</Badge>}
                {item.nobody && <Badge tone="warn">Nobody holds the role {lower(item.role.label)}</Badge>}
              </div>
              {item.said !== null ? (
                <div className="small muted">
                  {item.said || (item.done ? 'Seen in the records.' : 'Not seen in the records.')}{' '}
                  <Evidence links={item.evidence} project={project.id} /> · {item.source}
                </div>
              ) : item.done ? (
                <div className="small muted">
                  {item.comment} <Evidence links={item.evidence} project={project.id} />
                  {item.by && `— ${item.by.name} `}
                  {item.at_ms && <Time ms={item.at_ms} />}
                </div>
              ) : (
                <div className="small muted">
                  {item.role.label} · {item.source}
                </div>
              )}
            </div>
            {list.mine && open && item.said === null && (
              <button type="button" className="btn" onClick={() => work(item)}>
                {item.done ? 'Change' : 'Do'}
                <span className="sr"> item {item.id}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <Failed error={pickUp.error ?? complete.error} />
      {open && (
        <div className="row">
          {!list.mine && (
            <button type="button" className="btn primary" onClick={() => pickUp.mutate({ checklist: list.id })}>
              Pick it up
            </button>
          )}
          {list.mine && (
            <>
              <button
                type="button"
                className="btn primary"
                disabled={list.blocking > 0}
                title={list.blocking > 0 ? `${list.blocking} needed items are open` : undefined}
                onClick={() => complete.mutate({ checklist: list.id })}
              >
                Complete the handoff
              </button>
              <button type="button" className="btn" onClick={() => giveBack(true)}>
                Hand back…
              </button>
            </>
          )}
        </div>
      )}
      {working && <DoItem list={list} item={working} project={project} onClose={() => work(null)} />}
      <Dialog open={returning} onClose={() => giveBack(false)} title={`Hand back ${list.gate}`}>
        <label className="field">
          What is missing?
          <textarea value={reason} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={handBack.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={() => giveBack(false)}>
            Cancel
          </button>
          <button
            type="button"
            className="btn primary"
            disabled={!reason.trim()}
            onClick={() => handBack.mutate({ checklist: list.id, reason }, { onSuccess: () => giveBack(false) })}
          >
            Hand the checklist back
          </button>
        </div>
      </Dialog>
    </section>
  );
}

function DoItem({
  list,
  item,
  project,
  onClose,
}: {
  list: Checklist;
  item: ChecklistItem;
  project: Project;
  onClose: () => void;
}) {
  const done = useAct('checklist.item_done');
  const reopen = useAct('checklist.item_reopen');
  const toast = useToast();
  const data = useCommand('dataset.list', { project: project.id });
  const models = useCommand('model.list', { project: project.id });
  const runs = useCommand('run.list', { project: project.id });
  const [comment, setComment] = useState(item.comment);
  const [links, setLinks] = useState<SubjectRef[]>(item.evidence.map((e) => ({ kind: e.kind, id: e.id })));
  const choices = [
    { kind: 'project', id: project.id, title: `Project: ${project.title}` },
    ...(data.data ?? []).flatMap((d) =>
      d.versions.map((v) => ({ kind: 'dataset_version', id: v.id, title: `Data: ${d.name} version ${v.number}` })),
    ),
    ...(models.data ?? []).flatMap((m) =>
      m.versions.map((v) => ({ kind: 'model_version', id: v.id, title: `Model: ${m.name} version ${v.number}` })),
    ),
    ...(runs.data ?? []).slice(0, 100).map((r) => ({ kind: 'run', id: r.id, title: `Run: ${r.name}` })),
  ];
  const titleOf = (l: SubjectRef) => choices.find((c) => c.id === l.id)?.title ?? l.id;
  return (
    <Dialog open onClose={onClose} title={`${item.id}: ${item.text}`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          done.mutate({ checklist: list.id, item: item.id, comment, evidence: links }, { onSuccess: onClose });
        }}
      >
        <label className="field">
          How do you know?
          <textarea value={comment} onChange={(e) => setComment(e.target.value)} placeholder="A sentence, or a link below." />
        </label>
        <label className="field">
          Where can it be seen?
          <select
            value=""
            onChange={(e) => {
              const chosen = choices.find((c) => c.id === e.target.value);
              if (chosen && !links.some((l) => l.id === chosen.id)) setLinks([...links, { kind: chosen.kind, id: chosen.id }]);
            }}
          >
            <option value="">Link something…</option>
            {choices.map((c) => (
              <option key={c.id} value={c.id}>
                {c.title}
              </option>
            ))}
          </select>
        </label>
        {links.map((l) => (
          <div key={l.id} className="row between">
            <span>↗ {titleOf(l)}</span>
            <button
              type="button"
              className="btn plain icon"
              aria-label={`Take away ${titleOf(l)}`}
              onClick={() => setLinks(links.filter((x) => x.id !== l.id))}
            >
              ✕
            </button>
          </div>
        ))}
        <Failed error={done.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <div className="row">
            {item.done && (
              <button
                type="button"
                className="btn"
                onClick={() =>
                  reopen.mutate(
                    { checklist: list.id, item: item.id },
                    {
                      onSuccess: () => {
                        onClose();
                        toast(`${item.id} is open again.`);
                      },
                    },
                  )
                }
              >
                Reopen
              </button>
            )}
            <button type="submit" className="btn primary" disabled={done.isPending}>
              Mark {item.id} as done
            </button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}
