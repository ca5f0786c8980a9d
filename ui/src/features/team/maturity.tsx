import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { GivenAnswer, MaturityLevel, MaturityStatement, Maturity as Shown } from '../../host/commands.gen';
import { Badge, Empty, Failed, Say, Time, type Tone, Waiting } from '../../parts/bits';
import { Html } from '../../parts/html';
import { RecordLink } from '../../parts/record';
import { useTheme } from '../../parts/theme';
import { useToast } from '../../parts/toast';
import { PickLink } from '../find/pick';

/** One table: what can be answered, and how it looks. */
const ANSWERS: [string, string, string, Tone][] = [
  ['yes', 'Yes', '✓ Holds', 'good'],
  ['partly', 'Partly', '◐ Partly', 'warn'],
  ['no', 'No', '✕ Does not hold', 'bad'],
];

/** How far the team is, by its own word and beside what the records show. */
export function MaturityScreen() {
  const { scale: named } = useParams({ strict: false });
  const scale = named === 'microsoft' ? 'microsoft/1' : 'google/1';
  const dark = useTheme() === 'dark';
  const found = useCommand('maturity.get', { scale, width: 900, dark });
  const [assessing, assess] = useState(false);
  if (!found.data) return found.error ? <Failed error={found.error} /> : <Waiting lines={10} />;
  const m = found.data;
  const now = m.level === null ? null : m.levels[m.level];
  return (
    <div className="page">
      <div className="row between">
        <h1>How far we are</h1>
        {!assessing && (
          <button type="button" className="btn primary" onClick={() => assess(true)}>
            {m.assessments.length > 0 ? 'Assess anew' : 'Assess now'}
          </button>
        )}
      </div>
      <p className="muted">
        A scale of how much of the way from data to operation goes by itself. The team answers; what Cairn sees in the records
        stands beside each statement. It is for the team to learn by, and no gate asks for it.
      </p>
      <nav className="tabs" aria-label="Scales">
        {(assessing ? m.scales.filter((s) => s.id === m.id) : m.scales).map((s) => (
          <Link
            key={s.id}
            to="/maturity/$scale"
            params={{ scale: s.id.split('/')[0] ?? '' }}
            aria-current={s.id === m.id ? 'page' : undefined}
          >
            {s.name}
          </Link>
        ))}
      </nav>
      {assessing ? (
        <Form key={m.id} of={m} done={() => assess(false)} />
      ) : (
        <>
          <section className="card stack" aria-label="Where we stand">
            {now ? (
              <>
                <h2>
                  Level {m.level}: {now.name}
                </h2>
                <p>{now.summary}</p>
                <NextLevel of={m} />
                <section className="scroll" aria-label={m.title} tabIndex={0}>
                  <Html html={m.svg} />
                </section>
                <p className="muted small">{m.summary}</p>
              </>
            ) : (
              <Empty title="Nobody has assessed yet">
                It takes ten minutes, best together. Each statement has an example, and what the records show stands beside it.
              </Empty>
            )}
          </section>
          {m.levels.map((level, i) => (
            <LevelCard key={level.name} level={level} number={i} />
          ))}
          <Past of={m} />
        </>
      )}
      <p className="muted small">{m.source}</p>
    </div>
  );
}

/** What is missing to the level above. */
function NextLevel({ of: m }: { of: Shown }) {
  const next = m.levels[(m.level ?? 0) + 1];
  if (!next) return <Say tone="good">This is the highest level of the scale.</Say>;
  const open = next.statements.filter((s) => s.met !== 'yes');
  return (
    <Say>
      To level {(m.level ?? 0) + 1} ({next.name}) {open.length === 1 ? 'one statement is' : `${open.length} statements are`}{' '}
      missing:
      <ul>
        {open.map((s) => (
          <li key={s.id}>{s.text}</li>
        ))}
      </ul>
    </Say>
  );
}

function LevelCard({ level, number }: { level: MaturityLevel; number: number }) {
  if (level.statements.length === 0) return null;
  return (
    <section className="card stack" aria-label={`Level ${number}: ${level.name}`}>
      <h2>
        Level {number}: {level.name}
      </h2>
      <p className="muted">{level.summary}</p>
      <ul className="list">
        {level.statements.map((s) => (
          <li key={s.id} className="stack" style={{ padding: '10px 0' }}>
            <div className="row between">
              <span className="grow">{s.text}</span>
              <Answer met={s.met} />
            </div>
            {s.html && <Html className="prose small" html={s.html} />}
            {s.evidence.length > 0 && (
              <small>
                Evidence:{' '}
                {s.evidence.map((e) => (
                  <span key={e.id}>
                    <RecordLink kind={e.kind} id={e.id} title={e.title} />{' '}
                  </span>
                ))}
              </small>
            )}
            <SeenLine s={s} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Answer({ met }: { met: string | null }) {
  const found = ANSWERS.find(([id]) => id === met);
  return found ? <Badge tone={found[3]}>{found[2]}</Badge> : <Badge>Not answered</Badge>;
}

/** What the records show; where they and the team say different things, that is said. */
function SeenLine({ s }: { s: MaturityStatement }) {
  if (!s.seen) return <small className="muted">Cairn sees nothing that speaks for or against it.</small>;
  const apart = s.met === 'yes' && s.seen.met !== null && s.seen.met !== 'yes';
  return (
    <small className={apart ? 'late' : 'muted'}>
      {apart ? 'The records show less: ' : 'In the records: '}
      {s.seen.said}
    </small>
  );
}

function Form({ of: m, done }: { of: Shown; done: () => void }) {
  const save = useAct('maturity.assess');
  const toast = useToast();
  const all = m.levels.flatMap((l) => l.statements);
  const key = `maturity-${m.id}`;
  // A draft survives a crash; without one it begins with what was said last.
  const [answers, set] = useState<Record<string, GivenAnswer>>(
    () =>
      JSON.parse(localStorage.getItem(key) ?? 'null') ??
      Object.fromEntries(all.flatMap((s) => (s.met ? [[s.id, { met: s.met, note: s.note }]] : []))),
  );
  const close = () => {
    localStorage.removeItem(key);
    done();
  };
  const [linking, link] = useState<string | null>(null);
  const put = (id: string, part: Partial<GivenAnswer>) =>
    set((now) => {
      const next = { ...now, [id]: { met: 'no', note: '', ...now[id], ...part } };
      localStorage.setItem(key, JSON.stringify(next));
      return next;
    });
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate(
          { scale: m.id, answers },
          {
            onSuccess: (r) => {
              toast(`Recorded: level ${r.level}.`);
              close();
            },
          },
        );
      }}
    >
      {m.levels.map((level, n) =>
        level.statements.length === 0 ? null : (
          <section key={level.name} className="card stack" aria-label={`Level ${n}: ${level.name}`}>
            <h2>
              Level {n}: {level.name}
            </h2>
            <p className="muted">{level.summary}</p>
            {level.statements.map((s) => (
              <fieldset key={s.id} className="stack asked">
                <legend>{s.text}</legend>
                <small className="muted">
                  {s.why} For example: {s.example}
                </small>
                {s.seen && <small className="muted">In the records: {s.seen.said}</small>}
                <div className="row">
                  {ANSWERS.map(([id, label]) => (
                    <label key={id} className="check">
                      <input
                        type="radio"
                        name={s.id}
                        checked={answers[s.id]?.met === id}
                        onChange={() => put(s.id, { met: id })}
                      />
                      {label}
                    </label>
                  ))}
                </div>
                {answers[s.id] && (
                  <div className="row">
                    <label className="field grow">
                      What we know it by
                      <textarea
                        rows={2}
                        value={answers[s.id]?.note ?? ''}
                        onChange={(e) => put(s.id, { note: e.target.value })}
                      />
                    </label>
                    <button type="button" className="btn" onClick={() => link(s.id)}>
                      Link a record…<span className="sr"> as evidence that {s.text}</span>
                    </button>
                  </div>
                )}
              </fieldset>
            ))}
          </section>
        ),
      )}
      {linking && (
        <PickLink
          onClose={() => link(null)}
          onPick={(text) => {
            put(linking, { note: `${answers[linking]?.note ?? ''} ${text}`.trim() });
            link(null);
          }}
        />
      )}
      <Failed error={save.error} />
      <div className="row">
        <button type="submit" className="btn primary" disabled={save.isPending || Object.keys(answers).length === 0}>
          Record this assessment
        </button>
        <button type="button" className="btn plain" onClick={close}>
          Cancel
        </button>
        <small className="muted">
          {Object.keys(answers).length} of {all.length} answered
        </small>
      </div>
    </form>
  );
}

/** Earlier assessments: none is ever lost. */
function Past({ of: m }: { of: Shown }) {
  if (m.assessments.length === 0) return null;
  return (
    <section className="card flush" aria-label="Assessments">
      <h2 style={{ padding: '16px 20px 8px' }}>Assessments</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">By</th>
            <th scope="col" className="num">
              Level
            </th>
            <th scope="col" className="num">
              Hold
            </th>
            <th scope="col" className="num">
              Partly
            </th>
            <th scope="col" className="num">
              Do not hold
            </th>
          </tr>
        </thead>
        <tbody>
          {m.assessments.map((a) => (
            <tr key={a.id}>
              <td>
                <Time ms={a.at_ms} />
              </td>
              <td>{a.by.name}</td>
              <td className="num">{a.level}</td>
              <td className="num">{a.yes}</td>
              <td className="num">{a.partly}</td>
              <td className="num">{a.no}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
