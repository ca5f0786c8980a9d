import type { Card, CardSection } from '../../host/commands.gen';
import { Explained } from '../../parts/term';
import { Parts } from '../note/parts';

/** A model card as one readable page. `around` adds what an editor needs to a section. */
export function CardPage({ card, around }: { card: Card; around?: (section: CardSection) => React.ReactNode }) {
  return (
    <article className="paper" aria-label="Model card">
      <header>
        <p className="muted small">Model card</p>
        <h1>
          {card.model}, version {card.number}
        </h1>
      </header>
      {card.sections
        .filter((s) => around || s.text.trim())
        .map((s) => (
          <section key={s.id} aria-labelledby={`section-${s.id}`}>
            <div className="row between">
              <h2 id={`section-${s.id}`}>{s.title}</h2>
            </div>
            {s.text.trim() ? (
              <Parts parts={s.parts} />
            ) : (
              <p className="muted">
                <Explained text={s.question} />
              </p>
            )}
            {around?.(s)}
          </section>
        ))}
    </article>
  );
}
