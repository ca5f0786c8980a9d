import { Link, useParams } from '@tanstack/react-router';
import { Check, Circle } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Checklist, ChecklistItem, Project } from '../../host/commands.gen';
import { Badge, Failed, lower, Say, State, Time, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { ChooseParty, Due, type Party } from '../../parts/party';
import { Evidence } from '../../parts/record';
import { Explained } from '../../parts/term';
import { useToast } from '../../parts/toast';
import { Threads, usePeople } from '../comment/threads';
import { DoItem } from './item';
import { Parcel } from './parcel';

/** A handoff on one page: what is to be done or was done, whose turn it is, and what the receiver needs. */
export function HandoffScreen() {
  const { checklist: id = '' } = useParams({ strict: false });
  const list = useCommand('checklist.get', { checklist: id });
  const project = useCommand('project.get', { project: list.data?.project ?? '' }, { enabled: list.data !== undefined });
  if (list.error ?? project.error) return <Failed error={list.error ?? project.error} />;
  if (!list.data || !project.data) return <Waiting lines={10} />;
  return <Handoff list={list.data} project={project.data} />;
}

function Handoff({ list, project }: { list: Checklist; project: Project }) {
  const over = ['completed', 'received', 'accepted'].includes(list.state);
  const ask = over ? (list.holder ? { kind: 'member', id: list.holder.id } : { kind: 'role', id: list.from.id }) : null;
  return (
    <div className="page">
      <Link to="/projects/$project/$tab" params={{ project: project.id, tab: 'handoffs' }}>
        ← Handoffs of {project.title}
      </Link>
      <header className="row between">
        <h1>
          {list.gate}: {list.title}
        </h1>
        <div className="row">
          <State state={list.state} />
          {list.blocked && <Badge tone="bad">■ Blocked</Badge>}
        </div>
      </header>
      <p className="muted">
        From the {lower(list.from.label)} to the {lower(list.to.label)}, cycle {list.cycle}.{' '}
        {list.holder && !over && `${list.holder.name} works on it. `}
        {list.holder && over && `Handed over by ${list.holder.name}. `}
        {list.receiver && `${list.receiver.name} has it. `}
        {list.assigned && `Given to ${list.assigned.label}. `}
        <Due day={list.due} over={list.state !== 'accepted'} />
      </p>
      {list.also_claimed.length > 0 && (
        <Say tone="warn">
          {list.also_claimed.map((p) => p.name).join(' and ')} picked it up at the same time, on another computer. The later claim
          stands: {list.holder?.name} has it, and nothing that was ticked is lost.
        </Say>
      )}
      {list.blocked && (
        <Say tone="warn">
          <strong>Blocked:</strong> {list.blocked.why} ({list.blocked.by.name}, <Time ms={list.blocked.at_ms} />)
        </Say>
      )}
      {list.handed_back_why && <Say tone="warn">Handed back: “{list.handed_back_why}”</Say>}
      <Steps list={list} />
      <Items list={list} project={project} />
      {over && <Parcel project={project.id} />}
      <div className="card">
        <Threads about={{ kind: 'checklist', id: list.id }} ask={ask} />
      </div>
    </div>
  );
}

/** What can be done now, the likeliest first. */
function Steps({ list }: { list: Checklist }) {
  const pickUp = useAct('checklist.pick_up');
  const complete = useAct('checklist.complete');
  const receive = useAct('checklist.receive');
  const accept = useAct('checklist.accept');
  const block = useAct('checklist.block');
  const toast = useToast();
  const [asking, ask] = useState<'back' | 'block' | 'plan' | null>(null);
  const me = { checklist: list.id };
  const working = ['open', 'picked_up', 'handed_back'].includes(list.state);
  const error = pickUp.error ?? complete.error ?? receive.error ?? accept.error ?? (asking ? null : block.error);
  return (
    <>
      <div className="row">
        {working && !list.mine && (
          <button type="button" className="btn primary" onClick={() => pickUp.mutate(me)}>
            {list.state === 'picked_up' ? 'Take it over' : 'Pick it up'}
          </button>
        )}
        {working && list.mine && list.state === 'picked_up' && (
          <button
            type="button"
            className="btn primary"
            disabled={list.blocking > 0}
            title={list.blocking > 0 ? `${list.blocking} needed items are open` : undefined}
            onClick={() => complete.mutate(me, { onSuccess: () => toast(`Handed over to the ${lower(list.to.label)}.`) })}
          >
            Hand over to the {lower(list.to.label)}
          </button>
        )}
        {list.i_may_receive && !list.receiving && (
          <button type="button" className="btn primary" onClick={() => receive.mutate(me)}>
            Take it, to look at it
          </button>
        )}
        {list.receiving && (
          <button
            type="button"
            className="btn primary"
            onClick={() => accept.mutate(me, { onSuccess: () => toast('Accepted.') })}
          >
            Accept: I have what I need
          </button>
        )}
        {((working && list.mine) || list.receiving) && (
          <button type="button" className="btn" onClick={() => ask('back')}>
            Hand back…
          </button>
        )}
        {list.state !== 'accepted' && (
          <>
            {list.blocked ? (
              <button type="button" className="btn" onClick={() => block.mutate(me)}>
                It can go on
              </button>
            ) : (
              <button type="button" className="btn" onClick={() => ask('block')}>
                It is blocked…
              </button>
            )}
            <button type="button" className="btn plain" onClick={() => ask('plan')}>
              Who and until when…
            </button>
          </>
        )}
        {working && list.blocking > 0 && list.mine && <small className="muted">{list.blocking} needed items are open</small>}
      </div>
      <Failed error={error} />
      {asking === 'back' && <Reason list={list} what="back" onClose={() => ask(null)} />}
      {asking === 'block' && <Reason list={list} what="block" onClose={() => ask(null)} />}
      {asking === 'plan' && <Plan list={list} onClose={() => ask(null)} />}
    </>
  );
}

function Reason({ list, what, onClose }: { list: Checklist; what: 'back' | 'block'; onClose: () => void }) {
  const handBack = useAct('checklist.hand_back');
  const block = useAct('checklist.block');
  const [reason, setReason] = useState('');
  const back = what === 'back';
  const act = back ? handBack : block;
  return (
    <Dialog open onClose={onClose} title={back ? `Hand back ${list.gate}` : `${list.gate} is blocked`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          act.mutate({ checklist: list.id, reason }, { onSuccess: onClose });
        }}
      >
        <label className="field">
          {back ? 'What is missing?' : 'What does it wait for?'}
          <textarea required value={reason} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={act.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={!reason.trim() || act.isPending}>
            {back ? 'Hand the checklist back' : 'Say that it is blocked'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whose it is, and until when: of the whole handoff, or of an item. */
function Plan({ list, item, onClose }: { list: Checklist; item?: ChecklistItem; onClose: () => void }) {
  const assign = useAct('checklist.assign');
  const date = useAct('checklist.set_due');
  const people = usePeople();
  const before = item ?? list;
  const [to, setTo] = useState<Party | null>(before.assigned);
  const [due, setDue] = useState(before.due ?? '');
  const save = () => {
    const at = { checklist: list.id, item: item?.id ?? '' };
    const day = () =>
      due === (before.due ?? '') ? onClose() : date.mutate({ ...at, due: due || undefined }, { onSuccess: onClose });
    if (to?.id === before.assigned?.id) day();
    else assign.mutate({ ...at, to: to ? { kind: to.kind, id: to.id } : undefined }, { onSuccess: day });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={item ? `Who does ${item.id}, and until when?` : `Who has ${list.gate}, and until when?`}
    >
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save();
        }}
      >
        <ChooseParty
          label="Who"
          value={to}
          choose={setTo}
          nobody={item ? `whoever is ${lower(item.role.label)}` : `whoever is ${lower(list.from.label)}`}
          {...people}
        />
        <label className="field">
          Until when
          <input type="date" value={due} onChange={(e) => setDue(e.target.value)} />
        </label>
        <Failed error={assign.error ?? date.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Items({ list, project }: { list: Checklist; project: Project }) {
  const [working, work] = useState<ChecklistItem | null>(null);
  const [planning, plan] = useState<ChecklistItem | null>(null);
  const threads = useCommand('comment.list', { about: { kind: 'checklist', id: list.id } });
  const [asking, ask] = useState<string | null>(null);
  const open = (item: string) => threads.data?.filter((t) => t.anchor === item && !t.resolved).length ?? 0;
  return (
    <section className="card stack" aria-labelledby="items">
      <div className="row between">
        <h2 id="items">What it asks for</h2>
        <small className="muted">
          {list.done} of {list.items.length} done
        </small>
      </div>
      <ul className="list">
        {list.items.map((item) => (
          <li key={item.id} style={{ padding: '8px 0' }}>
            <div className="row" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
              {item.done ? (
                <Check size={16} color="var(--good)" aria-label="Done" style={{ marginTop: 3, flex: 'none' }} />
              ) : (
                <Circle size={16} aria-label="Open" style={{ marginTop: 3, flex: 'none' }} />
              )}
              <div className="grow">
                <div>
                  <small className="muted">{item.id}</small> <Explained text={item.text} />{' '}
                  {item.blocks && !item.done && <Badge tone="warn">Needed</Badge>}
                  {item.nobody && <Badge tone="warn">Nobody holds the role {lower(item.role.label)}</Badge>}
                </div>
                <Answer item={item} project={project.id} />
                {(item.assigned || item.due) && !item.done && (
                  <div className="small">
                    {item.assigned && `With ${item.assigned.label} `}
                    <Due day={item.due} />
                  </div>
                )}
              </div>
              <div className="row" style={{ flex: 'none' }}>
                {item.i_may_do && (
                  <button type="button" className="btn" onClick={() => work(item)}>
                    {item.done ? 'Change' : 'Do'}
                    <span className="sr"> item {item.id}</span>
                  </button>
                )}
                {list.state !== 'accepted' && !item.done && item.kind !== 'records' && (
                  <button type="button" className="btn plain" onClick={() => plan(item)}>
                    Who…<span className="sr"> does {item.id}, and until when</span>
                  </button>
                )}
                <button
                  type="button"
                  className="btn plain"
                  aria-expanded={asking === item.id}
                  onClick={() => ask(asking === item.id ? null : item.id)}
                >
                  {open(item.id) > 0 ? `? ${open(item.id)}` : 'Ask'}
                  <span className="sr"> about {item.id}</span>
                </button>
              </div>
            </div>
            {asking === item.id && (
              <div className="inset">
                <Threads
                  about={{ kind: 'checklist', id: list.id }}
                  anchor={item.id}
                  title={`About ${item.id}`}
                  ask={{ kind: 'role', id: item.role.id }}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
      {working && <DoItem list={list} item={working} project={project} onClose={() => work(null)} />}
      {planning && <Plan list={list} item={planning} onClose={() => plan(null)} />}
    </section>
  );
}

function Answer({ item, project }: { item: ChecklistItem; project: string }) {
  if (item.said !== null)
    return (
      <div className="small muted">
        {item.said || (item.done ? 'Seen in the records.' : 'Not seen in the records.')}{' '}
        <Evidence links={item.evidence} project={project} /> · {item.source}
      </div>
    );
  if (item.done)
    return (
      <div className="small muted">
        {item.comment} <Evidence links={item.evidence} project={project} />
        {item.by && `— ${item.by.name} `}
        {item.at_ms !== null && <Time ms={item.at_ms} />}
      </div>
    );
  return (
    <div className="small muted">
      {item.role.label} · {item.source}
    </div>
  );
}
