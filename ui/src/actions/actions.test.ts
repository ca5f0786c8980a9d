import { describe, expect, it } from 'vitest';
import { find, matches } from './actions';

const press = (key: string, mod = false) => ({ key, ctrlKey: mod, metaKey: false });

describe('shortcuts', () => {
  it('take Ctrl for Mod and never fire on a plain letter', () => {
    expect(matches('Mod+K', press('k', true), '')).toBe(true);
    expect(matches('Mod+K', press('k'), '')).toBe(false);
  });
  it('need the whole sequence', () => {
    expect(matches('G H', press('h'), 'G')).toBe(true);
    expect(matches('G H', press('h'), '')).toBe(false);
    expect(matches('N', press('n'), 'G')).toBe(false);
  });
});

describe('the palette', () => {
  it('finds actions whose label holds every word', () => {
    const run = () => {};
    const all = [
      { id: 'a', label: 'Go to the audit trail', run },
      { id: 'b', label: 'Go to the team', run },
    ];
    expect(find(all, 'tra go').map((a) => a.id)).toEqual(['a']);
    expect(find(all, '')).toHaveLength(2);
  });
});
