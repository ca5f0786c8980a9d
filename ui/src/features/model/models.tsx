import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ModelVersion } from '../../host/commands.gen';
import { Badge, Empty, Failed, State, Time, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';
import { useToast } from '../../parts/toast';

export function Models({ project }: { project: string }) {
  const models = useCommand('model.list', { project });
  const releases = useCommand('release.list', { project });
  const deployments = useCommand('deployment.list', { project });
  if (models.error) return <Failed error={models.error} />;
  if (!models.data) return <Waiting />;
  return (
    <div className="stack wide">
      <Loose project={project} />
      {models.data.length === 0 && (
        <div className="card">
          <Empty title="No models yet">
            Open a finished run and choose "Make a model version". Its card is drafted from what the run knows.
          </Empty>
        </div>
      )}
      {models.data.map((model) => (
        <section key={model.id} className="card flush" aria-label={model.name}>
          <div className="row" style={{ padding: '16px 20px 8px' }}>
            <h2>{model.name}</h2>
            {model.aliases.map((a) => (
              <Badge key={a.alias} tone="accent">
                {a.alias}: version {model.versions.find((v) => v.id === a.version)?.number}
              </Badge>
            ))}
          </div>
          <ul className="list">
            {model.versions.map((v) => (
              <li key={v.id}>
                <VersionRow version={v} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {(releases.data?.length ?? 0) > 0 && (
        <section className="card flush" aria-label="Releases">
          <h2 style={{ padding: '16px 20px 8px' }}>
            <Term word="release">Releases</Term>
          </h2>
          <ul className="list">
            {releases.data?.map((r) => (
              <li key={r.id}>
                <Link to="/releases/$release" params={{ release: r.id }} className="item">
                  <div className="grow">
                    <div>
                      {r.version.model_name} version {r.version.number}
                    </div>
                    <div className="muted">
                      Requested by {r.requested_by.name}, <Time ms={r.requested_ms} />
                    </div>
                  </div>
                  <State state={r.state} />
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {(deployments.data?.length ?? 0) > 0 && (
        <section className="card flush" aria-label="Deployments">
          <h2 style={{ padding: '16px 20px 8px' }}>
            <Term word="deployment">Deployments</Term>
          </h2>
          <table>
            <thead>
              <tr>
                <th>Environment</th>
                <th>Version</th>
                <th>Recorded by</th>
                <th>When</th>
                <th>Now</th>
              </tr>
            </thead>
            <tbody>
              {deployments.data?.map((d) => (
                <tr key={d.id}>
                  <td>{d.environment.charAt(0).toUpperCase() + d.environment.slice(1)}</td>
                  <td>{d.title}</td>
                  <td>{d.by.name}</td>
                  <td>
                    <Time ms={d.at_ms} />
                  </td>
                  <td>{d.current ? <Badge tone="good">✓ Running</Badge> : <Badge>Replaced</Badge>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

/** Models that scripts registered by name and that belong to no project yet. */
function Loose({ project }: { project: string }) {
  const loose = useCommand('model.loose', {});
  const link = useAct('model.link');
  const toast = useToast();
  if ((loose.data?.length ?? 0) === 0) return null;
  return (
    <div className="stack">
      <label className="row">
        <span>A model that a script registered belongs to this project:</span>
        <select
          style={{ width: 'auto' }}
          value=""
          onChange={(e) =>
            link.mutate(
              { model: e.target.value, project },
              { onSuccess: (done) => toast(`${done.name} belongs to this project now`) },
            )
          }
        >
          <option value="">Add a model…</option>
          {loose.data?.map((m) => (
            <option key={m.id} value={m.id}>
              {m.name} ({m.versions.length === 1 ? 'one version' : `${m.versions.length} versions`})
            </option>
          ))}
        </select>
      </label>
      <Failed error={link.error} />
    </div>
  );
}

function VersionRow({ version }: { version: ModelVersion }) {
  const deploy = useAct('deployment.record');
  const toast = useToast();
  const [where, setWhere] = useState('');
  return (
    <div className="item">
      <div className="grow">
        <div className="row">
          <Link to="/cards/$version" params={{ version: version.id }}>
            Version {version.number}: the model card
          </Link>
          {version.card_missing.length > 0 && <Badge tone="warn">⚠ {version.card_missing.length} sections missing</Badge>}
          {version.release && <State state={version.release} />}
          {version.stage && version.stage !== 'None' && (
            <span title="A label that a script set. No approval.">
              <Badge>label: {version.stage}</Badge>
            </span>
          )}
          {version.environments.map((e) => (
            <Badge key={e} tone="good">
              ✓ in {e}
            </Badge>
          ))}
        </div>
        <div className="muted">
          {version.run ? (
            <>
              From the run{' '}
              <Link to="/runs/$run" params={{ run: version.run }}>
                {version.run_name || 'without a name'}
              </Link>
            </>
          ) : (
            'Registered from elsewhere'
          )}
          , by {version.by.name}, <Time ms={version.at_ms} />
        </div>
        {version.description && <div>{version.description}</div>}
        <Failed error={deploy.error} />
      </div>
      <select
        style={{ width: 'auto' }}
        aria-label={`Record a deployment of version ${version.number}`}
        value={where}
        onChange={(e) => {
          const environment = e.target.value;
          setWhere('');
          if (environment)
            deploy.mutate({ version: version.id, environment }, { onSuccess: () => toast(`Recorded in ${environment}.`) });
        }}
      >
        <option value="">Record a deployment…</option>
        <option value="development">Development</option>
        <option value="test">Test</option>
        <option value="production">Production</option>
      </select>
    </div>
  );
}
