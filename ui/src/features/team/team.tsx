import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Knock, MemberRow } from '../../host/commands.gen';
import { Badge, Failed, Say, Waiting } from '../../parts/bits';
import { ReasonDialog } from '../../parts/reason';
import { useToast } from '../../parts/toast';
import { Devices } from './devices';
import { Proposals, Recovery } from './recovery';
import { Rules } from './rules';

export function TeamScreen() {
  const team = useCommand('member.list', {});
  const app = useCommand('app.status', {});
  if (team.error) return <Failed error={team.error} />;
  if (!team.data) return <Waiting />;
  return (
    <div className="page">
      <div className="row between">
        <h1>Team</h1>
        <Link to="/maturity">How far we are</Link>
      </div>
      {team.data.requests.map((knock) => (
        <KnockCard key={knock.device} knock={knock} mayManage={team.data.i_may_manage} />
      ))}
      {team.data.more_requests > 0 && (
        <Say tone="warn">
          {team.data.more_requests} more {team.data.more_requests === 1 ? 'request waits' : 'requests wait'} behind these. Decline
          those that nobody knows; the others move up.
        </Say>
      )}
      <Proposals team={team.data} />
      <Rules />
      {team.data.i_may_manage && (
        <Say>
          {app.data?.workspace?.invitation ? (
            <>
              To invite somebody, send them this and ask them to choose “Join your team's workspace”: <br />
              <code>{app.data.workspace.invitation}</code>
            </>
          ) : (
            'To invite somebody, first enter a shared place under Sharing and settings.'
          )}
        </Say>
      )}
      <section className="card flush" aria-label="Members">
        <ul className="list">
          {team.data.members.map((m) => (
            <li key={m.id}>
              <Member member={m} mayManage={team.data.i_may_manage} iAmOwner={team.data.i_am_owner} />
            </li>
          ))}
        </ul>
      </section>
      <Recovery team={team.data} />
    </div>
  );
}

function KnockCard({ knock, mayManage }: { knock: Knock; mayManage: boolean }) {
  const app = useCommand('app.status', {});
  const admit = useAct('member.admit');
  const toast = useToast();
  const decline = useAct('member.decline');
  const [roles, setRoles] = useState<string[]>([]);
  const [refusing, refuse] = useState(false);
  const choices = app.data?.roles.filter((r) => r.id !== 'owner') ?? [];
  return (
    <section className="card stack" aria-label={`${knock.name} asks to join`}>
      <h2>{knock.name} asks to join</h2>
      <p className="muted">
        From the computer “{knock.device_name}”{knock.email && `, ${knock.email}`}. Ask {knock.name.split(' ')[0]} to read out the
        four words on their screen. Only if they are these, let this computer in:
      </p>
      <p className="words">{knock.phrase}</p>
      {knock.looks_like && (
        <Say tone="warn">
          This name looks like that of <strong>{knock.looks_like}</strong>, and no computer of theirs vouches for it. Ask them in
          person before you let anybody in.
        </Say>
      )}
      {knock.odd && <Say tone="warn">The name could pass for another: {knock.odd}.</Say>}
      {mayManage ? (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            admit.mutate(
              { device: knock.device, roles },
              { onSuccess: () => toast(`${knock.name} is in. Share, so that they see it.`) },
            );
          }}
        >
          <fieldset className="checks">
            <legend>What does {knock.name.split(' ')[0]} do?</legend>
            {choices.map((r) => (
              <label key={r.id} className="check">
                <input
                  type="checkbox"
                  checked={roles.includes(r.id)}
                  onChange={(e) => setRoles(e.target.checked ? [...roles, r.id] : roles.filter((x) => x !== r.id))}
                />
                {r.label}
              </label>
            ))}
          </fieldset>
          <Failed error={admit.error} />
          <div className="row">
            <button type="submit" className="btn primary" disabled={roles.length === 0 || admit.isPending}>
              The words are the same: let {knock.name} in
            </button>
            <button type="button" className="btn" onClick={() => refuse(true)}>
              Decline…<span className="sr"> {knock.name}</span>
            </button>
          </div>
        </form>
      ) : (
        <p>An administrator can let them in.</p>
      )}
      {refusing && (
        <ReasonDialog
          title={`Decline ${knock.name}`}
          label="Why?"
          placeholder="For example: nobody here knows this person"
          verb="Decline"
          danger
          error={decline.error}
          pending={decline.isPending}
          onClose={() => refuse(false)}
          onSay={(reason) =>
            decline.mutate(
              { device: knock.device, reason },
              {
                onSuccess: () => {
                  refuse(false);
                  toast(`${knock.name} was declined.`);
                },
              },
            )
          }
        >
          <p>The request disappears for everybody. They could ask again from another computer.</p>
        </ReasonDialog>
      )}
    </section>
  );
}

/** What taking a role away would mean. */
function RoleRests({ member, role }: { member: string; role: string }) {
  const rests = useCommand('member.role_rests', { member, role });
  if (!rests.data) return <Failed error={rests.error} />;
  const { others, projects, stays } = rests.data;
  return (
    <>
      <p>{stays}</p>
      <p>
        {others === 0 ? 'Nobody else holds this role.' : `${others} ${others === 1 ? 'other holds' : 'others hold'} it.`}
        {projects.length > 0 && ` Named for it in: ${projects.join(', ')}.`}
      </p>
    </>
  );
}

function Member({ member, mayManage, iAmOwner }: { member: MemberRow; mayManage: boolean; iAmOwner: boolean }) {
  const app = useCommand('app.status', {});
  const grant = useAct('member.grant');
  const revoke = useAct('member.revoke');
  const [taking, take] = useState<{ id: string; label: string } | null>(null);
  const missing = app.data?.roles.filter((r) => (r.id !== 'owner' || iAmOwner) && !member.roles.some((x) => x.id === r.id)) ?? [];
  return (
    <div className="item" style={{ alignItems: 'flex-start' }}>
      <div className="grow stack" style={{ gap: 6 }}>
        <div>
          {member.name} {member.me && <Badge tone="accent">You</Badge>}
        </div>
        {member.email && <div className="muted small">{member.email}</div>}
        <div className="row">
          {member.roles.map((r) => (
            <Badge key={r.id}>
              {r.label}
              {(r.id === 'owner' ? iAmOwner : mayManage) && (
                <button
                  type="button"
                  className="btn plain"
                  style={{ minHeight: 24, padding: '0 4px' }}
                  aria-label={`Take the role ${r.label} from ${member.name}`}
                  onClick={() => take(r)}
                >
                  ✕
                </button>
              )}
            </Badge>
          ))}
          {mayManage && missing.length > 0 && (
            <select
              style={{ width: 'auto' }}
              aria-label={`Give ${member.name} a role`}
              value=""
              onChange={(e) => e.target.value && grant.mutate({ member: member.id, role: e.target.value })}
            >
              <option value="">Give a role…</option>
              {missing.map((r) => (
                <option key={r.id} value={r.id}>
                  {r.label}
                </option>
              ))}
            </select>
          )}
        </div>
        <Failed error={grant.error} />
        {taking && (
          <ReasonDialog
            title={`Take the role ${taking.label} from ${member.name}`}
            label="Why?"
            placeholder="For example: changed to another team"
            verb="Take the role away"
            danger
            error={revoke.error}
            pending={revoke.isPending}
            onClose={() => take(null)}
            onSay={(reason) => revoke.mutate({ member: member.id, role: taking.id, reason }, { onSuccess: () => take(null) })}
          >
            <RoleRests member={member.id} role={taking.id} />
          </ReasonDialog>
        )}
      </div>
      <Devices member={member} mayManage={mayManage} />
    </div>
  );
}
