import type { ControlMap, ControlValue } from '../fan-out/control-codec.ts';
import type { CommandReply } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';

export type Refused = Extract<CommandReply, { kind: 'refused' }>;

/** An integer of a request, and what it may be. */
export interface IntegerRule {
  readonly min: number;
  readonly max: number;
}

export function refused(code: RefusalCode, text: string): Refused {
  return { kind: 'refused', code, text, check: null };
}

/** Never leaves `readFields`. */
class BadField extends Error {}

/**
 * Reads the fields of a request one after the other. The first that is wrong ends it with a refusal that names the field, the value and what is allowed;
 * one that was never asked for is wrong too: a misspelt `dryRun` must not place an order.
 */
export function readFields<T>(request: ControlMap, read: (fields: FieldReader) => T): T | Refused {
  try {
    const fields = new FieldReader(request);
    const value = read(fields);
    fields.end();
    return value;
  } catch (error) {
    if (error instanceof BadField) return refused(RefusalCode.BadField, error.message);
    throw error;
  }
}

export class FieldReader {
  readonly #request: ControlMap;
  readonly #asked = new Set(['id', 'action']);

  constructor(request: ControlMap) {
    this.#request = request;
  }

  integer(name: string, rule: IntegerRule, fallback?: number): number {
    const value = this.#take(name);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= rule.min && value <= rule.max) {
      // A negative zero is an integer that JSON and databases write differently.
      return value + 0;
    }
    throw this.wrong(name, value, `a whole number from ${rule.min} to ${rule.max}`);
  }

  /** A value that must be left out, or 0. */
  zero(name: string, when: string): 0 {
    const value = this.#take(name);
    if (value === undefined || value === 0) return 0;
    throw this.wrong(name, value, `left out, or 0, ${when}`);
  }

  choice<V>(name: string, values: Readonly<Record<string, V>>, fallback?: V): V {
    const value = this.#take(name);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value === 'string' && Object.hasOwn(values, value)) return values[value] as V;
    throw this.wrong(name, value, `one of ${Object.keys(values).join(', ')}`);
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (value === undefined) return false;
    if (typeof value === 'boolean') return value;
    throw this.wrong(name, value, 'true or false');
  }

  /** Printable ASCII. */
  text(name: string, minLength: number, maxLength: number): string {
    const value = this.#take(name);
    if (value === undefined && minLength === 0) return '';
    if (typeof value === 'string' && value.length >= minLength && value.length <= maxLength && isPrintable(value)) {
      return value;
    }
    throw this.wrong(name, value, `${minLength} to ${maxLength} printable ASCII characters`);
  }

  end(): void {
    for (const name of Object.keys(this.#request)) {
      if (!this.#asked.has(name)) throw new BadField(`${shown(name)} is no field of this request`);
    }
  }

  wrong(name: string, value: ControlValue | undefined, allowed: string): Error {
    const is = value === undefined ? 'is missing' : `is ${shown(value)}`;
    return new BadField(`${name} ${is}; it must be ${allowed}`);
  }

  #take(name: string): ControlValue | undefined {
    this.#asked.add(name);
    const value = this.#request[name];
    return value === null ? undefined : value;
  }
}

function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** A stranger's value, short enough to be sent back. */
function shown(value: ControlValue): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
