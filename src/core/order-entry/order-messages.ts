import { type ControlMap, encodeControl } from '../fan-out/control-codec.ts';
import { FrameType } from '../fan-out/wire.ts';
import type { CommandReply, OrderCommand } from '../orders/order-command.ts';
import type { CheckResult } from '../risk/check-result.ts';
import type { Refused } from './order-fields.ts';
import { refusalName } from './refusal-names.ts';

/** Answers to clients, as whole messages of `outcry.v1`. */

export function encodeAnswer(requestID: number, map: ControlMap): Uint8Array<ArrayBuffer> {
  return encodeControl([FrameType.Control], map, requestID);
}

export function refusalMap(refusal: Omit<Refused, 'kind'>): ControlMap {
  const { code, text, check } = refusal;
  const error: ControlMap = { code: refusalName(code), message: text, refusal: code };
  return { error: check === null ? error : { ...error, check: checkMap(check) } };
}

/** The answer to a command of a client; one that changed nothing is an error. */
export function replyMap(command: Pick<OrderCommand, 'type'>, reply: CommandReply): ControlMap {
  switch (reply.kind) {
    case 'placed': {
      const { orderID, seq, isRepeat } = reply;
      return { action: 'placed', orderId: orderID, status: 'PENDING', seq, repeat: isRepeat };
    }
    case 'change-requested': {
      const action = command.type === 'cancel' ? 'cancelRequested' : 'modifyRequested';
      return { action, orderId: reply.orderID, seq: reply.seq };
    }
    case 'cancels-requested': {
      const { requested, canceled, left, seq } = reply;
      return { action: 'cancelAllRequested', requested, canceled, left, seq };
    }
    case 'done': {
      const action = command.type === 'cancel' ? 'canceled' : 'modified';
      return { action, orderId: reply.orderID, seq: reply.seq };
    }
    case 'dry-run': {
      const { code, checks, marginPaise, chargesPaise, charges } = reply;
      return {
        action: 'dryRun',
        refusal: code,
        checks: checks.map(checkMap),
        marginPaise,
        chargesPaise,
        charges: { ...charges },
      };
    }
    case 'refused':
      return refusalMap(reply);
  }
}

function checkMap({ check, unit, limit, used, after, passed }: CheckResult): ControlMap {
  return { check, unit, limit, used, after, passed };
}
