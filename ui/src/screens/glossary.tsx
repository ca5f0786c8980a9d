import { useState } from 'react';
import glossary from '../../../assets/glossary.json';

const words = Object.entries(glossary as Record<string, string>).sort(([a], [b]) => a.localeCompare(b));

/** Every word that Cairn uses, in plain words. */
export function GlossaryScreen() {
  const [asked, ask] = useState('');
  const fits = words.filter(([word, text]) => `${word} ${text}`.toLowerCase().includes(asked.toLowerCase()));
  return (
    <div className="page narrow">
      <h1>What the words mean</h1>
      <label className="field">
        Find a word
        <input type="search" value={asked} onChange={(e) => ask(e.target.value)} />
      </label>
      <dl className="answers card">
        {fits.map(([word, text]) => (
          <div key={word}>
            <dt>{word.charAt(0).toUpperCase() + word.slice(1)}</dt>
            <dd>{text}</dd>
          </div>
        ))}
        {fits.length === 0 && (
          <div>
            <dt>Nothing fits.</dt>
            <dd>Try another word.</dd>
          </div>
        )}
      </dl>
    </div>
  );
}
