import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Comment, SubjectRef, Thread } from '../../host/commands.gen';
import { Badge, Failed, Time } from '../../parts/bits';
import { Html } from '../../parts/html';
import { ChooseParty, type Party } from '../../parts/party';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';
import { Delete } from '../record/delete';

/** Everybody who can be asked. */
export function usePeople() {
  const team = useCommand('member.list', {});
  const app = useCommand('app.status', {});
  return {
    members: team.data?.members.map((m) => ({ id: m.id, name: m.name })) ?? [],
    roles: app.data?.roles ?? [],
  };
}

interface Props {
  about: SubjectRef;
  /** A place in the record; none: all of it. */
  anchor?: string;
  /** The lines at that place, each of which can be talked about. */
  lines?: string[];
  /** What the place is called, for the heading. */
  title?: string;
  /** A question goes here unless somebody else is chosen. */
  ask?: Party | null;
}

/** Comments and questions about a record. */
export function Threads({ about, anchor, lines = [], title = 'Questions and comments', ask = null }: Props) {
  const threads = useCommand('comment.list', { about });
  const [old, showOld] = useState(false);
  const [line, choose] = useState('');
  const all = (threads.data ?? []).filter((t) => anchor === undefined || placeOf(t.anchor).place === anchor);
  const gone = (t: Thread) => {
    const quoted = placeOf(t.anchor).line;
    return anchor !== undefined && quoted !== '' && !lines.includes(quoted);
  };
  const open = all.filter((t) => !t.resolved);
  const done = all.filter((t) => t.resolved);
  return (
    <section className="stack" aria-label={title}>
      <h2>{title}</h2>
      <Failed error={threads.error} />
      {open.map((t) => (
        <ThreadView key={t.id} thread={t} gone={gone(t)} />
      ))}
      {done.length > 0 && (
        <button type="button" className="btn plain" aria-expanded={old} onClick={() => showOld(!old)}>
          {old ? 'Hide' : 'Show'} {done.length} resolved
        </button>
      )}
      {old && done.map((t) => <ThreadView key={t.id} thread={t} gone={gone(t)} />)}
      {lines.length > 0 && (
        <label className="field">
          What it is about
          <select value={line} onChange={(e) => choose(e.target.value)}>
            <option value="">The whole section</option>
            {(line === '' || lines.includes(line) ? lines : [...lines, line]).map((l) => (
              <option key={l} value={l}>
                {l.length > 90 ? `${l.slice(0, 90)}…` : l}
              </option>
            ))}
          </select>
        </label>
      )}
      <Write about={about} anchor={line ? `${anchor}\n${line}` : (anchor ?? '')} ask={ask} />
    </section>
  );
}

/** A place in a record and, after a new line, a line that stood there when somebody wrote of it. */
function placeOf(anchor: string) {
  const [place = '', ...rest] = anchor.split('\n');
  return { place, line: rest.join('\n') };
}

/** Characters of a line that a comment quotes. */
const QUOTED = 300;

/** The lines of a text that can be talked about, as a comment quotes them. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((l) => l.trim().slice(0, QUOTED));
  return [...new Set(lines.filter((l) => /[\p{L}\p{N}]/u.test(l)))];
}

function ThreadView({ thread, gone }: { thread: Thread; gone: boolean }) {
  const { place, line } = placeOf(thread.anchor);
  const resolve = useAct('comment.resolve');
  const [replying, reply] = useState(false);
  const toast = useToast();
  const settle = (resolved: boolean) =>
    resolve.mutate(
      { comment: thread.id, resolved },
      { onSuccess: () => resolved && toast('Resolved.', () => resolve.mutate({ comment: thread.id, resolved: false })) },
    );
  return (
    <article className={thread.resolved ? 'card thread quiet' : 'card thread'} aria-label={thread.asks ? 'Question' : 'Comment'}>
      <div className="row">
        {thread.asks && (
          <Badge tone={thread.answered || thread.resolved ? 'good' : 'warn'}>
            {thread.answered || thread.resolved ? '✓ Answered' : '? Question'} to {thread.asks.label}
          </Badge>
        )}
        {place && <Badge>{place}</Badge>}
        {thread.resolved && <small className="muted">Resolved by {thread.resolved_by?.name}</small>}
        {!thread.resolved && thread.resolved_by && (
          <small className="muted">
            {thread.resolved_by.name} says that it is dealt with; whoever raised it has not said so.
          </small>
        )}
      </div>
      {line && (
        <blockquote className="quoted">
          {line}
          {gone && <div className="muted small">This line has been changed since.</div>}
        </blockquote>
      )}
      {thread.comments.map((c) => (
        <CommentView key={c.id} comment={c} />
      ))}
      <Failed error={resolve.error} />
      {replying ? (
        <Write about={thread.about} anchor={thread.anchor} replyTo={thread.id} onDone={() => reply(false)} />
      ) : (
        <div className="row">
          {!thread.resolved && (
            <button type="button" className="btn" onClick={() => reply(true)}>
              {thread.asks && !thread.answered ? 'Answer' : 'Reply'}
            </button>
          )}
          <button type="button" className="btn plain" onClick={() => settle(!thread.resolved)}>
            {thread.resolved ? 'Open again' : 'Resolve'}
          </button>
        </div>
      )}
    </article>
  );
}

function CommentView({ comment: c }: { comment: Comment }) {
  const edit = useAct('comment.edit');
  const [draft, setDraft] = useState<{ text: string; base: string } | null>(null);
  const subject = { kind: 'comment', id: c.id };
  return (
    <div className="stack comment">
      <div className="row between">
        <small className="muted">
          <strong>{c.by.name}</strong> <Time ms={c.at_ms} />
          {c.edited_ms !== null && ' (changed)'}
        </small>
        {c.mine && draft === null && (
          <div className="row">
            <button type="button" className="btn plain" onClick={() => setDraft({ text: c.text, base: c.base })}>
              Change<span className="sr"> my comment</span>
            </button>
            <Delete subject={subject} said="the comment" name="my comment" />
          </div>
        )}
      </div>
      <BothChanged versions={c.versions} keep={(text) => edit.mutate({ comment: c.id, text, base: c.base })} />
      {draft === null ? (
        <Html className="prose" html={c.html} />
      ) : (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            edit.mutate({ comment: c.id, text: draft.text, base: draft.base }, { onSuccess: () => setDraft(null) });
          }}
        >
          <textarea
            aria-label="The comment"
            rows={3}
            value={draft.text}
            onChange={(e) => setDraft({ ...draft, text: e.target.value })}
          />
          <div className="row">
            <button type="submit" className="btn primary">
              Save
            </button>
            <button type="button" className="btn plain" onClick={() => setDraft(null)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      <Failed error={edit.error} />
    </div>
  );
}

function Write({
  about,
  anchor,
  replyTo,
  ask = null,
  onDone,
}: {
  about: SubjectRef;
  anchor: string;
  replyTo?: string;
  ask?: Party | null;
  onDone?: () => void;
}) {
  const write = useAct('comment.write');
  const people = usePeople();
  // Of the place, not of the line in it: another line is another choice for the same words.
  const key = `comment-${about.kind}/${about.id}/${placeOf(anchor).place}/${replyTo ?? ''}`;
  const [text, setText] = useState(() => localStorage.getItem(key) ?? '');
  const [asks, setAsks] = useState<Party | null>(ask);
  const type = (next: string) => {
    setText(next);
    localStorage.setItem(key, next);
  };
  const send = (question: boolean) =>
    write.mutate(
      { about, anchor, text, reply_to: replyTo, asks: question && asks ? asks : undefined },
      {
        onSuccess: () => {
          localStorage.removeItem(key);
          setText('');
          onDone?.();
        },
      },
    );
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        send(replyTo === undefined && asks !== null);
      }}
    >
      <textarea
        rows={2}
        aria-label={replyTo ? 'Your answer' : 'Your comment or question'}
        placeholder={replyTo ? 'Your answer' : 'Ask something, or say what others should know. Markdown works.'}
        value={text}
        onChange={(e) => type(e.target.value)}
      />
      {(text.trim() !== '' || replyTo) && (
        <>
          {!replyTo && (
            <ChooseParty label="Ask somebody?" value={asks} choose={setAsks} nobody="no, it is a comment" {...people} />
          )}
          <Failed error={write.error} />
          <div className="row">
            <button type="submit" className="btn primary" disabled={write.isPending || !text.trim()}>
              {replyTo ? 'Send the answer' : asks ? 'Ask' : 'Comment'}
            </button>
            {onDone && (
              <button type="button" className="btn plain" onClick={onDone}>
                Cancel
              </button>
            )}
          </div>
        </>
      )}
    </form>
  );
}
