import { Link } from '@tanstack/react-router';
import { useCommand } from '../../host/cache';
import { Badge, bytes, Failed, Num, State } from '../../parts/bits';
import { RecordLink } from '../../parts/record';

/** Everything that whoever receives a handoff needs, on one page: what for, by what, with which data, what is known to be
 * wrong, and how to run it. */
export function Parcel({ project }: { project: string }) {
  const problem = useCommand('problem.get', { project });
  const data = useCommand('dataset.list', { project });
  const models = useCommand('model.list', { project });
  const findings = useCommand('finding.list', { project });
  const criteria = useCommand('criteria.list', { project });
  const versions = (models.data ?? []).flatMap((m) => m.versions.map((v) => ({ ...v, name: m.name })));
  // The newest, whatever order they are listed in.
  const newest = versions.reduce<(typeof versions)[number] | undefined>((a, b) => (a && a.at_ms > b.at_ms ? a : b), undefined);
  const open = findings.data?.filter((f) => f.outcome === null) ?? [];
  const standing = criteria.data?.sets.filter((s) => s.state === 'stands') ?? [];
  const decision = problem.data?.groups.flatMap((g) => g.questions).find((q) => q.answer.name === 'decision')?.answer.value;
  const never = problem.data?.groups.flatMap((g) => g.questions).find((q) => q.answer.name === 'must_never')?.answer.value;
  return (
    <section className="card stack" aria-labelledby="parcel">
      <h2 id="parcel">What you need to go on</h2>
      <Failed error={problem.error ?? data.error ?? models.error ?? findings.error ?? criteria.error} />
      <dl className="answers">
        <div>
          <dt>What it is for</dt>
          <dd>
            {decision || problem.data?.groups[0]?.questions[0]?.answer.value || 'Not stated yet.'}
            {never && (
              <div>
                <strong>Must never happen:</strong> {never}
              </div>
            )}
          </dd>
        </div>
        <div>
          <dt>Data</dt>
          <dd>
            {data.data?.length === 0 && 'No dataset is registered yet.'}
            {data.data?.map((d) => {
              const last = d.versions.reduce<(typeof d.versions)[number] | undefined>(
                (a, b) => (a && a.number > b.number ? a : b),
                undefined,
              );
              return (
                <div key={d.id}>
                  <Link to="/projects/$project/$tab" params={{ project, tab: 'data' }}>
                    {d.name} version {last?.number}
                  </Link>
                  {last && (
                    <span className="small muted">
                      {' '}
                      {last.rows.toLocaleString('en')} rows, {bytes(last.size)}, sha256 {last.digest.slice(0, 12)}
                    </span>
                  )}
                </div>
              );
            })}
          </dd>
        </div>
        {newest && (
          <div>
            <dt>Model</dt>
            <dd>
              <RecordLink kind="model_version" id={newest.id} title={`${newest.name} version ${newest.number}`} />{' '}
              {newest.release && <State state={newest.release} />}
              {newest.run && (
                <div className="small">
                  Made by <RecordLink kind="run" id={newest.run} title="its run" />: code, parameters, environment, metrics and
                  files are there.
                </div>
              )}
            </dd>
          </div>
        )}
        <div>
          <dt>Known issues</dt>
          <dd>
            {open.length === 0 && 'No finding is open.'}
            {open.map((f) => (
              <div key={f.id}>
                <Badge tone={f.severity === 'high' ? 'bad' : 'warn'}>{f.severity}</Badge>{' '}
                <Link to="/projects/$project/$tab" params={{ project, tab: 'checks' }}>
                  {f.title}
                </Link>
              </div>
            ))}
          </dd>
        </div>
        {standing.length > 0 && (
          <div>
            <dt>What it must reach</dt>
            <dd>
              {standing.flatMap((s) =>
                s.criteria.map((c) => (
                  <div key={s.id + c.words + c.digest}>
                    {c.words}
                    {c.value !== null && (
                      <>
                        {' '}
                        (<Num value={String(c.value)} />, {c.verdict ?? 'without an interval'})
                      </>
                    )}
                  </div>
                )),
              )}
            </dd>
          </div>
        )}
        {newest?.run && <HowToRun run={newest.run} />}
      </dl>
    </section>
  );
}

function HowToRun({ run }: { run: string }) {
  const script = useCommand('run.reproduce', { run });
  if (!script.data) return null;
  return (
    <div>
      <dt>How to run it</dt>
      <dd>
        <section className="scroll" aria-label="The script" tabIndex={0}>
          <pre className="mono">{script.data.script}</pre>
        </section>
      </dd>
    </div>
  );
}
