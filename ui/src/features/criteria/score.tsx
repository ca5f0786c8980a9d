import { useCommand } from '../../host/cache';
import { Failed } from '../../parts/bits';

/** How ready the project is for production, by the ML Test Score, as far as its records show. */
export function Score({ project }: { project: string }) {
  const found = useCommand('project.test_score', { project });
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return null;
  const s = found.data;
  return (
    <section className="card stack" aria-labelledby="score">
      <h2 id="score">ML Test Score: {s.score} of 7</h2>
      <p>
        {s.meaning} The least of four sections counts. A test that Cairn sees in the records counts 1, one that somebody did by
        hand counts ½.
      </p>
      {s.trend.length > 1 && <p className="small muted">{s.trend.map((t) => `Cycle ${t.cycle}: ${t.score}`).join(' → ')}</p>}
      <div className="grid2">
        {s.sections.map((section) => (
          <div key={section.id}>
            <div className="row between">
              <h3>{section.title}</h3>
              <span>
                <meter min={0} max={7} value={section.sum} aria-label={`${section.title}: ${section.sum} of 7`} /> {section.sum}
              </span>
            </div>
            <details>
              <summary>Its seven tests</summary>
              <ul className="list small">
                {section.tests.map((t) => (
                  <li key={t.id} style={{ padding: '4px 0' }}>
                    <strong>{t.score === 1 ? '✓ 1' : t.score === 0.5 ? '◐ ½' : '○ 0'}</strong> {t.id}: {t.text}
                    <div className="muted">
                      {t.item ? `${t.item}${t.said ? `: ${t.said}` : ''}` : 'This lifecycle does not ask for it.'}
                    </div>
                  </li>
                ))}
              </ul>
            </details>
          </div>
        ))}
      </div>
    </section>
  );
}
