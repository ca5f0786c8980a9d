import { expect, it } from 'vitest';
import type { RunRow } from '../../host/commands.gen';
import { columnsOf } from './runs';

it('shows only the parameters that differ', () => {
  const run = (params: Record<string, string>) => ({ params, metrics: { loss: '1' } }) as unknown as RunRow;
  expect(columnsOf([run({ lr: '0.1', seed: '7' }), run({ lr: '0.2', seed: '7' })])).toEqual({
    metrics: ['loss'],
    params: ['lr'],
    allMetrics: ['loss'],
    allParams: ['lr', 'seed'],
  });
});
