import { Link } from '@tanstack/react-router';
import {
  ArrowRight,
  AtSign,
  BellRing,
  CheckCircle2,
  ClipboardCheck,
  ClipboardList,
  FileSignature,
  HelpCircle,
  KeyRound,
  PackageOpen,
  PenLine,
  RotateCcw,
  TriangleAlert,
  Undo2,
  UserPlus,
  Users,
} from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../host/cache';
import type { Change, InboxItem, PortfolioRow } from '../host/commands.gen';
import { Badge, Empty, Failed, lower, Say, Time, Waiting } from '../parts/bits';
import { Due } from '../parts/party';
import { RecordLink } from '../parts/record';
import { FirstSteps } from './first';
import { useOpen } from './open';

const ICONS = {
  decide: PenLine,
  sign_again: RotateCcw,
  handoff: ClipboardCheck,
  handed_back: RotateCcw,
  receive: PackageOpen,
  item: ClipboardList,
  question: HelpCircle,
  challenge: TriangleAlert,
  finding: TriangleAlert,
  alarm: BellRing,
  criteria: FileSignature,
  mention: AtSign,
  next_step: ArrowRight,
  admit: UserPlus,
  second: Users,
  deleted: Undo2,
};

/** What waits for the person who sits here, and where every project stands. */
export function HomeScreen() {
  const app = useCommand('app.status', {});
  const inbox = useCommand('inbox.list', {});
  const projects = useCommand('portfolio.list', {});
  const first = app.data?.workspace?.me?.name.split(' ')[0];
  const running = projects.data?.filter((p) => p.ended === null) ?? [];
  const mine = running.filter((p) => p.mine);
  const shown = (mine.length > 0 ? mine : running).slice(0, 12);
  return (
    <div className="page">
      <h1>{first ? `Hello, ${first}` : 'Hello'}</h1>
      {app.data?.demo && (
        <Say>This is the sample workspace. Look around and try everything: it is yours, and nobody else sees it.</Say>
      )}
      <Failed error={inbox.error} />
      <section className="card flush" aria-labelledby="waiting">
        <h2 id="waiting" style={{ padding: '16px 20px 8px' }}>
          Waiting for you
        </h2>
        {!inbox.data && <Waiting />}
        {inbox.data?.length === 0 && (
          <div className="empty">
            <CheckCircle2 size={32} aria-hidden />
            <h2>Nothing waits for you</h2>
            <p>When somebody needs your decision or hands something over, it stands here.</p>
          </div>
        )}
        <ul className="list">
          {inbox.data?.map((item) => (
            <li key={item.kind + item.id + item.title}>
              {item.kind === 'deleted' ? (
                <DeletedRow item={item} />
              ) : item.kind === 'recovery_used' ? (
                <RecoveryRow item={item} />
              ) : (
                <InboxRow item={item} />
              )}
            </li>
          ))}
        </ul>
      </section>
      <Elsewhere />
      <FirstSteps />
      <section className="stack" aria-labelledby="projects">
        <div className="row between">
          <h2 id="projects">{mine.length > 0 && mine.length < running.length ? 'Your projects' : 'Projects'}</h2>
          {running.length > 0 && <Link to="/portfolio">All projects</Link>}
        </div>
        {projects.data?.length === 0 && (
          <div className="card">
            <Empty title="No projects yet">
              A project begins with a business problem. Press N, or the plus beside Projects, to state yours.
            </Empty>
          </div>
        )}
        <div className="grid3">
          {shown.map((p) => (
            <ProjectTile key={p.id} project={p} />
          ))}
        </div>
      </section>
    </div>
  );
}

function InboxRow({ item }: { item: InboxItem }) {
  const open = useOpen();
  const Icon = ICONS[item.kind as keyof typeof ICONS] ?? ArrowRight;
  return (
    <button type="button" className="item" onClick={() => void open(item)}>
      <Icon size={20} aria-hidden />
      <div className="grow">
        <div>{item.title}</div>
        <div className="muted">{item.text}</div>
      </div>
      {item.project_title && item.title !== item.project_title && <Badge>{item.project_title}</Badge>}
      {item.due ? (
        <small>
          <Due day={item.due} />
        </small>
      ) : (
        item.since_ms > 0 && (
          <small className="muted">
            <Time ms={item.since_ms} />
          </small>
        )
      )}
      <ArrowRight size={16} aria-hidden />
    </button>
  );
}

/** What the person asked others for, and what those did meanwhile. */
function Elsewhere() {
  const found = useCommand('inbox.elsewhere', {});
  const looked = useAct('inbox.looked');
  const [all, showAll] = useState(false);
  const { asked = [], changed = [], digest = [], more = false, looked_ms = null } = found.data ?? {};
  if (found.error) return <Failed error={found.error} />;
  if (asked.length === 0 && changed.length === 0) return null;
  return (
    <div className="grid2">
      {changed.length > 0 && (
        <section className="card stack" aria-labelledby="changed">
          <div className="row between">
            <h2 id="changed">Changed since you looked</h2>
            <button type="button" className="btn plain" disabled={looked.isPending} onClick={() => looked.mutate({})}>
              I have seen this
            </button>
          </div>
          {looked_ms !== null && (
            <small className="muted">
              You looked <Time ms={looked_ms} />
            </small>
          )}
          <ul className="stack">
            {digest.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
          <button type="button" className="btn plain" aria-expanded={all} onClick={() => showAll(!all)}>
            {all
              ? 'Hide the details'
              : `Show ${more ? 'the newest' : 'all'} ${changed.length} ${changed.length === 1 ? 'change' : 'changes'}`}
          </button>
          {all && (
            <ul className="list small">
              {changed.map((c, i) => (
                <li key={`${c.at_ms}/${i}`} style={{ padding: '6px 0' }}>
                  <ChangeLine change={c} />
                </li>
              ))}
            </ul>
          )}
          <Failed error={looked.error} />
        </section>
      )}
      {asked.length > 0 && (
        <section className="card flush" aria-labelledby="asked">
          <h2 id="asked" style={{ padding: '16px 20px 8px' }}>
            You asked for
          </h2>
          <ul className="list">
            {asked.map((item) => (
              <li key={item.kind + item.id + item.title}>
                <InboxRow item={item} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function ChangeLine({ change: c }: { change: Change }) {
  return (
    <>
      {c.by.name} {c.sentence}
      {c.subject && c.subject_title && (
        <>
          {': '}
          <RecordLink kind={c.subject.kind} id={c.subject.id} title={c.subject_title} project={c.project ?? undefined} />
        </>
      )}
      {c.why && ` “${c.why}”`}{' '}
      <span className="muted">
        {c.project_title && c.project_title !== c.subject_title && `${c.project_title}, `}
        <Time ms={c.at_ms} />
      </span>
    </>
  );
}

/** The printed key was used: everybody is told until they say that they know of it. */
function RecoveryRow({ item }: { item: InboxItem }) {
  const seen = useAct('recovery.seen');
  return (
    <div className="item">
      <KeyRound size={20} aria-hidden />
      <div className="grow">
        <div>{item.title}</div>
        <div className="muted">{item.text}</div>
        <Failed error={seen.error} />
      </div>
      <Link className="btn plain" to="/team">
        Look at the team
      </Link>
      <button type="button" className="btn" disabled={seen.isPending} onClick={() => seen.mutate({})}>
        I know of it
      </button>
    </div>
  );
}

/** Somebody deleted what somebody else changed: a question, not a surprise. */
function DeletedRow({ item }: { item: InboxItem }) {
  const act = useAct('record.delete');
  const [kind = '', id = ''] = item.id.split('/');
  // The deletion said why; saying it again settles it.
  const settle = (restore: boolean) => act.mutate({ subject: { kind, id }, restore, reason: 'Settled: it stays deleted.' });
  return (
    <div className="item">
      <Undo2 size={20} aria-hidden />
      <div className="grow">
        <div>{item.title}</div>
        <div className="muted">{item.text}</div>
        <Failed error={act.error} />
      </div>
      <button type="button" className="btn" disabled={act.isPending} onClick={() => settle(true)}>
        Keep it
      </button>
      <button type="button" className="btn plain" disabled={act.isPending} onClick={() => settle(false)}>
        Delete it
      </button>
    </div>
  );
}

function ProjectTile({ project: p }: { project: PortfolioRow }) {
  return (
    <Link
      to="/projects/$project"
      params={{ project: p.id }}
      className="card stack"
      style={{ textDecoration: 'none', color: 'inherit', gap: 8 }}
    >
      <h3>{p.title}</h3>
      <div className="row">
        <Badge tone="accent">
          {p.stage_number} of 6 · {p.stage_name}
        </Badge>
        {p.cycle > 1 && <Badge>Cycle {p.cycle}</Badge>}
        {p.blocked && <Badge tone="bad">■ Blocked</Badge>}
      </div>
      <p className="muted small">
        {p.next ? (
          <>
            {p.my_turn ? 'Your turn' : `Turn of the ${lower(p.turn?.label ?? '')}`}: {lower(p.next)}
          </>
        ) : (
          'Everything is there: it can move on.'
        )}
      </p>
    </Link>
  );
}
