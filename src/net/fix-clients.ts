import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { OutcryError } from '../core/errors.ts';
import type { LogonCredentials } from '../core/fix/session-contract.ts';
import { Product } from '../core/ledger/order.ts';
import type { ClientSettings } from '../core/order-entry/client-session.ts';
import { readVenueCredentials } from './venue-credentials.ts';

const compID = z.string().regex(/^[\x21-\x7e]{1,32}$/);
const userId = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const access = { compID, username: z.string().min(1).max(64), passwordFile: z.string().min(1) };
const clientsSchema = z.array(
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('orders'),
      ...access,
      userId,
      product: z.enum(['CNC', 'MIS', 'NRML']).default('CNC'),
    }),
    z.strictObject({ kind: z.literal('drop-copy'), ...access, userIds: z.array(userId).min(1).max(1_000) }),
  ]),
);

export interface FixClient {
  readonly settings: ClientSettings;
  readonly credentials: LogonCredentials;
}

/** Reads the file of FIX clients, and the password of each. CONFIG_INVALID, which never tells a password. */
export function readFixClients(path: string): FixClient[] {
  let clients: z.infer<typeof clientsSchema>;
  try {
    clients = clientsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${path}: ${messageOf(error)}`, error);
  }
  const names = clients.map((client) => client.compID);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new OutcryError('CONFIG_INVALID', `${path}: ${twice} is there twice`);
  return clients.map((client) => {
    const passwordFile = resolve(dirname(path), client.passwordFile);
    const credentials = readVenueCredentials(client.username, passwordFile, {})!;
    const isOrders = client.kind === 'orders';
    const settings: ClientSettings = {
      compID: client.compID,
      kind: client.kind,
      userIds: isOrders ? [client.userId] : client.userIds,
      product: isOrders ? Product[client.product] : Product.CNC,
    };
    return { settings, credentials };
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return (error as Error).message;
  const issue = error.issues[0];
  return `${issue?.path.join('.')}: ${issue?.message}`;
}
