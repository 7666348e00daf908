import { MsgType } from './generated/fix-enums.gen.ts';

/** The versions of FIX that are spoken, as BeginString(8) has them. */
export const FixVersion = { Fix42: 'FIX.4.2', Fix44: 'FIX.4.4' } as const;
export type FixVersion = (typeof FixVersion)[keyof typeof FixVersion];

/** The version of a session's BeginString(8). */
export function fixVersionOf(beginString: string): FixVersion {
  return beginString === FixVersion.Fix42 ? FixVersion.Fix42 : FixVersion.Fix44;
}

/** What came after 4.2: mass cancel and mass status of orders, and lists of securities (FIX 4.3, appendix of changes). */
const ADDED_AFTER_42: ReadonlySet<number> = new Set<MsgType>([
  MsgType.OrderMassCancelRequest,
  MsgType.OrderMassCancelReport,
  MsgType.OrderMassStatusRequest,
  MsgType.SecurityListRequest,
  MsgType.SecurityList,
]);

/** Whether a version has a type of message. */
export function isInVersion(msgType: number, version: FixVersion): boolean {
  return version === FixVersion.Fix44 || !ADDED_AFTER_42.has(msgType);
}
