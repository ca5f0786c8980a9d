import { Tooltip } from '@base-ui/react/tooltip';
import glossary from '../../../assets/glossary.json';

const words: Record<string, string> = glossary;

/** What a word means, in plain words; looked up without prefixes such as `val_` or `training_`. */
export function meaning(word: string): string | undefined {
  const plain = word
    .toLowerCase()
    .replace(/^(val|train|training|test)_/, '')
    .replace(/_score$/, '');
  return words[word.toLowerCase()] ?? words[plain];
}

interface Props {
  children: string;
  /** How the glossary has it, where that is another word. */
  word?: string;
}

/** A word that explains itself: to the pointer, to the keyboard and to a screen reader. Esc puts the explanation away. */
export function Term({ children, word }: Props) {
  const text = meaning(word ?? children);
  if (!text) return children;
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={<span className="term" tabIndex={0} aria-description={text} />}>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6}>
          <Tooltip.Popup className="tip">{text}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

/** The same inside of something that takes the focus itself, or where there are many: to the pointer alone. */
export function Word({ children, word }: Props) {
  const text = meaning(word ?? children);
  return text ? <abbr title={text}>{children}</abbr> : children;
}

/** The glossary's words, the longest first, so that "model version" is not taken for "version". */
const known = new RegExp(
  `\\b(${Object.keys(words)
    .filter((w) => /^[a-z -]+$/.test(w))
    .sort((a, b) => b.length - a.length)
    .join('|')})(s?)\\b`,
  'gi',
);

/** A text in which each word of the glossary explains itself to the pointer, where it comes first. */
export function Explained({ text }: { text: string }) {
  const out: React.ReactNode[] = [];
  const seen = new Set<string>();
  let at = 0;
  for (const found of text.matchAll(known)) {
    const word = (found[1] ?? '').toLowerCase();
    if (seen.has(word)) continue;
    seen.add(word);
    out.push(
      text.slice(at, found.index),
      <Word key={found.index} word={word}>
        {found[0]}
      </Word>,
    );
    at = found.index + found[0].length;
  }
  return [...out, text.slice(at)];
}
