import { expect, it } from 'vitest';
import type { RunRow } from '../../host/commands.gen';
import { both, columnsOf, PLAIN, readState } from './state';

it('shows only the parameters that differ', () => {
  const run = (params: Record<string, string>) =>
    ({ params, metrics: { loss: '1' }, tags: { team: 'red', 'mlflow.user': 'x' } }) as unknown as RunRow;
  expect(columnsOf([run({ lr: '0.1', seed: '7' }), run({ lr: '0.2', seed: '7' })])).toEqual({
    metrics: ['loss'],
    params: ['lr'],
    tags: [],
    allMetrics: ['loss'],
    allParams: ['lr', 'seed'],
    allTags: ['team'],
  });
});

it('reads what a later program kept, as far as it fits', () => {
  expect(readState(null)).toEqual(PLAIN);
  const kept = {
    filter: 'a = 1',
    order: 7,
    columns: { metrics: ['loss', 3], moon: [] },
    widths: { run: 200, by: 9, x: 'y' },
    pinned: ['r'],
  };
  expect(readState(kept)).toEqual({
    filter: 'a = 1',
    order: '',
    group: '',
    columns: { metrics: ['loss'], params: [], tags: [] },
    widths: { run: 200 },
    pinned: ['r'],
  });
});

it('joins two conditions without changing either', () => {
  expect(both('', 'b')).toBe('b');
  expect(both('a OR c', 'b')).toBe('(a OR c) AND (b)');
  expect(both('a', ' ')).toBe('a');
});
