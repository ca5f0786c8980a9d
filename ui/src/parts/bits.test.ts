import { expect, it } from 'vitest';
import { ago, lower, short } from './bits';
import { meaning } from './term';

it('explains a metric whatever stands before it', () => {
  expect(meaning('val_accuracy')).toBe(meaning('accuracy'));
  expect(meaning('val_accuracy')).toContain('share of cases');
  expect(meaning('no_such_word')).toBeUndefined();
});

it('shows at most four digits, and NaN as it is', () => {
  expect([short('0.977777'), short('1200'), short('NaN'), short(undefined)]).toEqual(['0.9778', '1,200', 'NaN', '–']);
});

it('keeps the capitals of an abbreviation', () => {
  expect([lower('ML engineer'), lower('Business owner')]).toEqual(['ML engineer', 'business owner']);
});

it('tells a time as people do', () => {
  expect(ago(0, 120_000)).toBe('2 minutes ago');
});
