import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { OutcryError } from '../core/errors.ts';
import { limitProblem, type RiskLimits } from '../core/risk/risk-limits.ts';
import type { LimitSettings } from '../core/risk/risk-settings.ts';

/**
 * An operator's limits, in a file of their own:
 *
 * ```toml
 * [global]
 * ordersPerSecond = 20
 * concentrationBps = "off"
 *
 * [instruments.RELIANCE]
 * positionQty = 10_000
 *
 * [users.42]
 * ordersPerDay = 500
 * ```
 * A limit that is not named is that of the layer below: instrument over global over the profile; a user's own go before all. `"off"` turns one off.
 */
export interface RiskLimitsFile {
  readonly global: LimitSettings;
  /** By symbol. */
  readonly instruments: Readonly<Record<string, LimitSettings>>;
  /** By user id. */
  readonly users: Readonly<Record<string, LimitSettings>>;
}

const FILE_MAX_BYTES = 16 * 1_024 * 1_024;
const NO_LIMITS: RiskLimitsFile = { global: {}, instruments: {}, users: {} };

/** Reads and checks it whole; '' for none. Raises CONFIG_INVALID with the table and the limit that is wrong. */
export function readRiskLimits(path: string): RiskLimitsFile {
  if (path === '') return NO_LIMITS;
  const { global, instruments, users, ...others } = readTable(path);
  const stranger = Object.keys(others)[0];
  if (stranger !== undefined) refuse(path, stranger, 'no such table; there are global, instruments and users');
  const ofUsers = layers(path, 'users', users);
  for (const id of Object.keys(ofUsers)) {
    if (!/^[1-9]\d{0,15}$/.test(id) || !Number.isSafeInteger(Number(id))) refuse(path, `users.${id}`, 'no user id');
  }
  return {
    global: layer(path, 'global', global ?? {}),
    instruments: layers(path, 'instruments', instruments),
    users: ofUsers,
  };
}

function readTable(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${path} cannot be read (${(error as Error).message})`, error);
  }
  if (text.length > FILE_MAX_BYTES)
    throw new OutcryError('CONFIG_INVALID', `${path} is larger than ${FILE_MAX_BYTES} bytes`);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0];
    throw new OutcryError('CONFIG_INVALID', `${path}, line ${error.line}: ${reason}`, error);
  }
}

function layers(path: string, table: string, value: unknown): Record<string, LimitSettings> {
  const tables = Object.entries(asTable(path, table, value ?? {}));
  return Object.fromEntries(tables.map(([name, limits]) => [name, layer(path, `${table}.${name}`, limits)]));
}

function layer(path: string, table: string, value: unknown): LimitSettings {
  const limits: Partial<Record<keyof RiskLimits, number | null>> = {};
  for (const [name, given] of Object.entries(asTable(path, table, value))) {
    const limit = given === 'off' ? null : given;
    if (limit !== null && typeof limit !== 'number') refuse(path, `${table}.${name}`, 'must be a number or "off"');
    const problem = limitProblem(name, limit);
    if (problem !== undefined) refuse(path, table, problem);
    limits[name as keyof RiskLimits] = limit;
  }
  return limits;
}

function asTable(path: string, table: string, value: unknown): object {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isTable ? value : refuse(path, table, 'must be a table');
}

function refuse(path: string, where: string, why: string): never {
  throw new OutcryError('CONFIG_INVALID', `${path}: ${where}: ${why}`);
}
