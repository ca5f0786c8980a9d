import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ChallengeView, Release, ReleasePage } from '../../host/commands.gen';
import { Badge, Failed, Say, State, Time, Waiting } from '../../parts/bits';
import { Html } from '../../parts/html';
import { ReasonDialog } from '../../parts/reason';
import { useToast } from '../../parts/toast';
import { Threads } from '../comment/threads';
import { Decide } from './decide';
import { bodyOf } from './page';
import { Signatures } from './signatures';

/** One page: what is asked and what stands in the way, exactly as it will be signed; who signed; and the decision. */
export function ReleaseScreen() {
  const { release: id = '' } = useParams({ strict: false });
  const release = useCommand('release.get', { release: id });
  const page = useCommand('release.page', { release: id });
  if (release.error) return <Failed error={release.error} />;
  if (!release.data) return <Waiting lines={10} />;
  const r = release.data;
  return (
    <div className="page narrow">
      <div className="row between">
        <Link to="/projects/$project/$tab" params={{ project: r.project, tab: 'models' }}>
          ← {r.project_title}
        </Link>
        <div className="row">
          <Link className="small" to="/cards/$version" params={{ version: r.version.id }}>
            Open the card
          </Link>
          <State state={r.state} />
        </div>
      </div>
      <Say tone={r.stands ? 'good' : r.state === 'waiting' ? 'info' : 'warn'}>{r.sentence}</Say>
      <Challenges release={r} />
      <Shown page={page.data} />
      <Failed error={page.error} />
      <Signatures release={r} />
      <div className="card">
        <Threads about={{ kind: 'release', id: r.id }} ask={{ kind: 'member', id: r.requested_by.id }} />
      </div>
      <Decide key={r.id} release={r} page={page.data?.sha256 ?? ''} />
    </div>
  );
}

function Shown({ page }: { page: ReleasePage | undefined }) {
  if (!page) return <Waiting lines={12} />;
  return (
    <section className="card stack" aria-label="The page that is signed">
      <Html className="prose signed-page" html={bodyOf(page.html)} />
      <p className="muted small">
        This page is kept with each signature, by its fingerprint <code>{page.sha256.slice(0, 12)}…</code>
      </p>
    </section>
  );
}

/** What colleagues did who cannot say no here: it is named, and somebody who decides answers it. */
function Challenges({ release }: { release: Release }) {
  const open = release.challenges.filter((c) => !c.answered);
  if (open.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="challenges">
      <h2 id="challenges">Brought up by colleagues</h2>
      {open.map((c) => (
        <Answer key={c.id} release={release.id} challenge={c} />
      ))}
    </section>
  );
}

function Answer({ release, challenge: c }: { release: string; challenge: ChallengeView }) {
  const answer = useAct('release.answer');
  const [asking, ask] = useState(false);
  const toast = useToast();
  return (
    <div className="row between">
      <div>
        <Badge tone="warn">⚠ Not answered</Badge> {c.sentence}
        <div className="muted small">
          <Time ms={c.at_ms} />
          {c.due_ms !== null && `, to be answered by ${new Date(c.due_ms).toLocaleDateString()}; then the gate says no`}
        </div>
      </div>
      {c.mine_to_answer && (
        <button type="button" className="btn" onClick={() => ask(true)}>
          Answer…<span className="sr"> what {c.by.name} brought up</span>
        </button>
      )}
      {asking && (
        <ReasonDialog
          title={`Answer ${c.by.name}`}
          label="How was it dealt with?"
          verb="Answer"
          error={answer.error}
          pending={answer.isPending}
          onClose={() => ask(false)}
          onSay={(reason) =>
            answer.mutate(
              { release, challenge: c.id, reason },
              {
                onSuccess: () => {
                  ask(false);
                  toast('Answered.');
                },
              },
            )
          }
        >
          <p>{c.sentence}</p>
          <p className="small muted">Your answer stands beside it for ever, in the role in which you decide here.</p>
        </ReasonDialog>
      )}
    </div>
  );
}
