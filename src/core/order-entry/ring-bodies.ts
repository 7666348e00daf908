import { type ControlMap, decodeControl, encodeControl } from '../fan-out/control-codec.ts';
import type { TraderCommand } from './parse-command.ts';
import type { AccountRead } from './parse-read.ts';

/** Bodies of the records from a fan-out worker: both ends are threads of one process, and what was parsed on the one is believed on the other. */

export function encodeCommand(command: TraderCommand): Uint8Array<ArrayBuffer> {
  return encodeControl([], command as unknown as ControlMap);
}

export function decodeCommand(body: Uint8Array): TraderCommand {
  return decodeControl(body, 0) as unknown as TraderCommand;
}

export function encodeRead(read: AccountRead): Uint8Array<ArrayBuffer> {
  return encodeControl([], { ...read });
}

export function decodeRead(body: Uint8Array): AccountRead {
  return decodeControl(body, 0) as unknown as AccountRead;
}
