import { InvalidArgumentError } from 'commander';

/** A trading day, as an option of a command. */
export function parseDay(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('It must be a date, YYYY-MM-DD.');
}
