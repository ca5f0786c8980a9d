import { Link } from '@tanstack/react-router';
import { Check, X } from 'lucide-react';
import { useState } from 'react';
import { useCommand } from '../host/cache';

interface Step {
  words: string;
  to: string;
  done?: boolean;
}

/** One table: role → the first things that whoever holds it does. */
const STEPS: Record<string, Step[]> = {
  business_owner: [
    { words: 'State a problem: the form leads you, in about five minutes', to: '/' },
    { words: 'See where all projects stand, and what must be decided', to: '/portfolio' },
    { words: 'Name the people of a project, on its overview', to: '/portfolio' },
  ],
  data_scientist: [
    { words: 'Point your training script at Cairn: one line, shown under Runs', to: '/runs' },
    { words: 'Compare runs and make a model version of the best', to: '/runs' },
    { words: 'Draft its card, then hand it over', to: '/portfolio' },
  ],
  data_engineer: [
    { words: 'Register a dataset: open a project and its Data', to: '/portfolio' },
    { words: 'Pick up the handoff that waits for you', to: '/' },
  ],
  ml_engineer: [
    { words: 'Take a handoff and see on one page what you need', to: '/' },
    { words: 'Record where a version runs, under Models and releases', to: '/portfolio' },
  ],
  validator: [
    { words: 'Sign the acceptance criteria before the test data is opened', to: '/portfolio' },
    { words: 'Raise what you find as findings; they stay until they are settled', to: '/portfolio' },
  ],
  compliance: [
    { words: 'Search the audit trail, and export it', to: '/audit' },
    { words: 'Read what each lifecycle asks for', to: '/lifecycles' },
  ],
  administrator: [
    { words: 'Let people in and give them roles', to: '/team' },
    { words: 'Choose where the team shares', to: '/settings' },
  ],
  owner: [
    { words: 'Let people in and give them roles', to: '/team' },
    { words: 'Choose where the team shares', to: '/settings' },
    { words: 'Print the recovery key and put it in a safe', to: '/team' },
  ],
};

/** The first steps of a role, until the person puts them away. */
export function FirstSteps() {
  const app = useCommand('app.status', {});
  const [gone, setGone] = useState(() => localStorage.getItem('first-steps') === 'gone');
  const [done, setDone] = useState<string[]>(() => JSON.parse(localStorage.getItem('first-steps-done') ?? '[]') as string[]);
  const roles = app.data?.workspace?.me?.roles ?? [];
  const steps = roles.flatMap((r) => STEPS[r.id] ?? []).filter((s, i, all) => all.findIndex((x) => x.words === s.words) === i);
  if (gone || steps.length === 0) return null;
  const tick = (words: string) => {
    const next = [...new Set([...done, words])];
    setDone(next);
    localStorage.setItem('first-steps-done', JSON.stringify(next));
  };
  return (
    <section className="card stack" aria-labelledby="first-steps">
      <div className="row between">
        <h2 id="first-steps">First steps</h2>
        <button
          type="button"
          className="btn plain icon"
          aria-label="Put the first steps away"
          title="Put the first steps away"
          onClick={() => {
            localStorage.setItem('first-steps', 'gone');
            setGone(true);
          }}
        >
          <X size={16} aria-hidden />
        </button>
      </div>
      <ol className="stack" style={{ gap: 4 }}>
        {steps.map((s) => (
          <li key={s.words}>
            <Link to={s.to} onClick={() => tick(s.words)}>
              {s.words}
            </Link>{' '}
            {done.includes(s.words) && <Check size={14} color="var(--good)" aria-label="seen" />}
          </li>
        ))}
      </ol>
    </section>
  );
}
