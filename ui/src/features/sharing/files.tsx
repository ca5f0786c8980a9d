import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { bytes, Failed, Say, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';

/** Where files go that are too large for the log, and how large is too large; for the whole workspace. */
export function FileSettings() {
  const settings = useCommand('setting.get', {});
  const tried = useCommand('setting.try_store', {}, { enabled: Boolean(settings.data?.object_store) });
  const change = useAct('setting.change');
  const signIn = useAct('setting.store_sign_in');
  const toast = useToast();
  const [edited, edit] = useState<{ [key: string]: string }>({});
  const [login, setLogin] = useState({ name: '', secret: '' });
  if (settings.error) return <Failed error={settings.error} />;
  if (!settings.data) return <Waiting lines={4} />;
  const s = settings.data;
  const kilobytes = (value: number) => String(Math.round(value / 1000));
  const fields: [string, string, string, string][] = [
    [
      'shared_file_max',
      'Largest file that travels with the history, in kB',
      kilobytes(s.shared_file_max),
      `At most ${bytes(s.shared_file_limit)}.`,
    ],
    [
      'object_store',
      'Object store for larger files',
      s.object_store,
      's3://bucket/folder, gs://…, az://…, https://… or file:///folder; empty for none.',
    ],
    [
      'stored_file_max',
      'Largest file that goes there, in kB',
      kilobytes(s.stored_file_max),
      'Larger ones stay on the computer that has them.',
    ],
  ];
  const keep = (setting: string, value: string) =>
    change.mutate(
      { setting, value: setting === 'object_store' ? value : String(Math.round(Number(value) * 1000)) },
      {
        onSuccess: () => {
          edit(Object.fromEntries(Object.entries(edited).filter(([key]) => key !== setting)));
          toast('The setting is changed for the workspace');
        },
      },
    );
  return (
    <section className="card stack" aria-label="Files of runs">
      <h2>Files of runs</h2>
      <p className="muted">
        For the whole workspace. Small files travel with the history; larger ones need a place of their own, or stay where they
        are.
      </p>
      {fields.map(([setting, label, value, hint]) => (
        <form
          key={setting}
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            keep(setting, edited[setting] ?? value);
          }}
        >
          <label className="field grow">
            {label}
            <input
              type="text"
              inputMode={setting === 'object_store' ? 'url' : 'numeric'}
              value={edited[setting] ?? value}
              onChange={(e) => edit({ ...edited, [setting]: e.target.value })}
            />
            <span className="hint">{hint}</span>
          </label>
          <button
            type="submit"
            className="btn"
            disabled={change.isPending || edited[setting] === undefined || edited[setting] === value}
          >
            Change
          </button>
          {setting === 'object_store' && value && (
            <button type="button" className="btn" disabled={change.isPending} onClick={() => keep(setting, '')}>
              Use none
            </button>
          )}
        </form>
      ))}
      <Failed error={change.error} />
      {s.object_store && tried.data && (
        <Say tone={tried.data.answers ? 'good' : 'warn'}>
          {tried.data.sentence} {tried.data.hint}
        </Say>
      )}
      {s.object_store && /^(s3|gs|az|https?):/.test(s.object_store) && (
        <form
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            signIn.mutate(login, { onSuccess: () => setLogin({ name: '', secret: '' }) });
          }}
        >
          <label className="field grow">
            Key id or account
            <input
              type="text"
              value={login.name}
              autoComplete="off"
              onChange={(e) => setLogin({ ...login, name: e.target.value })}
            />
          </label>
          <label className="field grow">
            Secret, kept in this computer's keyring
            <input
              type="password"
              value={login.secret}
              autoComplete="off"
              onChange={(e) => setLogin({ ...login, secret: e.target.value })}
            />
          </label>
          <button type="submit" className="btn" disabled={!login.secret || signIn.isPending}>
            Sign in
          </button>
        </form>
      )}
      <Failed error={signIn.error} />
    </section>
  );
}

/** What this computer notes of the programs that log runs. */
export function SourceRecording() {
  const recording = useCommand('run.recording', {});
  const set = useAct('run.set_source_recording');
  if (!recording.data) return null;
  return (
    <section className="card stack">
      <h2>What runs know of themselves</h2>
      <label className="check">
        <input
          type="checkbox"
          checked={recording.data.on}
          disabled={set.isPending}
          onChange={(e) => set.mutate({ on: e.target.checked })}
        />
        Note the command, commit, changes and packages of scripts that log to this computer
      </label>
      <p className="muted">
        It makes a run repeatable. Words of the command that look like a secret are left out. What is noted is shared with the
        team.
      </p>
      <Failed error={set.error} />
    </section>
  );
}
