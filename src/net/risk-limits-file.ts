import { readFileSync, statSync } from 'node:fs';
import * as z from 'zod';
import { OutcryError } from '../core/errors.ts';
import { limitProblem } from '../core/risk/risk-limits.ts';
import { type LimitSettings, NO_RISK_LAYERS, type RiskLayers } from '../core/risk/risk-settings.ts';

const FILE_MAX_BYTES = 1 << 22;
const SYMBOL_PATTERN = /^[\x20-\x7e]{1,64}$/;
const USER_ID_PATTERN = /^[1-9][0-9]{0,15}$/;

const limits = z.record(z.string(), z.number().nullable()).superRefine((layer, context) => {
  for (const [name, value] of Object.entries(layer)) {
    const message = limitProblem(name, value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }
});
const schema = z.strictObject({
  limits: limits.default({}),
  instruments: z.record(z.string().regex(SYMBOL_PATTERN), limits).default({}),
  users: z.record(z.string().regex(USER_ID_PATTERN), limits).default({}),
});

/** `{"limits": {…}, "instruments": {"SYMBOL": {…}}, "users": {"42": {…}}}`, each with limits by name; null turns one off. No layers without a file. CONFIG_INVALID. */
export function readRiskLayers(path: string): RiskLayers {
  if (path === '') return NO_RISK_LAYERS;
  const result = schema.safeParse(readJson(path));
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new OutcryError('CONFIG_INVALID', `${path}, ${issue.path.join('.') || 'the whole'}: ${issue.message}`);
  }
  const { data } = result;
  return {
    limits: data.limits as LimitSettings,
    instruments: new Map(Object.entries(data.instruments as Record<string, LimitSettings>)),
    users: new Map(Object.entries(data.users as Record<string, LimitSettings>).map(([id, each]) => [Number(id), each])),
  };
}

function readJson(path: string): unknown {
  try {
    if (statSync(path).size > FILE_MAX_BYTES) throw new Error(`it is larger than ${FILE_MAX_BYTES} bytes`);
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${path}: ${(error as Error).message}`, error);
  }
}
