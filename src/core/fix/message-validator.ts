// hot: per validated message. No allocation, no exception: the verdict is a reason and a tag.
import { type BlockRules, type FixDictionary, type GroupRules, Role, Section, ValueFormat } from './dictionary.ts';
import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE } from './fix-values.ts';
import { MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { isFormatted } from './value-format.ts';

/** What `MessageValidator.check` returns for a message with nothing wrong. */
export const MESSAGE_VALID = -1;
/** In place of RefTagID(371): no single field is at fault. */
export const NO_REF_TAG = INVALID_VALUE;

const SPACE = 32;
/** First tag that FIX leaves to its users. */
const USER_DEFINED_FROM = 5000;

/**
 * Holds a message against its version's dictionary (FIX volume 2, "Message format" and SessionRejectReason(373)): type, order of
 * header, body and trailer, tags, values, repeating groups, what is required. The first fault counts.
 */
export class MessageValidator {
  /** The tag at fault after a `check` that found one, or NO_REF_TAG. */
  refTagID = NO_REF_TAG;
  readonly #dictionary: FixDictionary;
  readonly #allowUserDefined: boolean;
  readonly #allowCredentials: boolean;
  /** Outside groups: the check in which a tag was last seen. */
  readonly #seenIn: Float64Array;
  #checkCount = 0;
  #reason: number = MESSAGE_VALID;

  /**
   * `allowUserDefined`: tags from 5000 on that the dictionary does not know are let pass unread. `allowCredentials`: so are Username(553) and
   * Password(554) of a Logon, which FIX 4.2 does not know.
   */
  constructor(dictionary: FixDictionary, allowUserDefined: boolean, allowCredentials: boolean) {
    this.#dictionary = dictionary;
    this.#allowUserDefined = allowUserDefined;
    this.#allowCredentials = allowCredentials;
    this.#seenIn = new Float64Array(dictionary.tagLimit);
  }

  /** A SessionRejectReason, or MESSAGE_VALID. */
  check(message: FixMessage): number {
    const dictionary = this.#dictionary;
    this.#reason = MESSAGE_VALID;
    this.refTagID = NO_REF_TAG;
    const rules = dictionary.message(message.msgType);
    if (rules === undefined) return SessionRejectReason.InvalidMsgType;
    const seenIn = this.#seenIn;
    const check = ++this.#checkCount;
    // The framer's fields are not in the index: here they would be second ones.
    seenIn[Tag.BeginString] = check;
    seenIn[Tag.BodyLength] = check;
    seenIn[Tag.CheckSum] = check;
    const { tags, count } = message;
    let section: Section = Section.Header;
    let position = 0;
    while (position < count) {
      const tag = tags[position]!;
      if (!this.#isKnown(tag)) {
        if (!this.#isUserDefined(tag) && !this.#isCredential(message, tag))
          return this.#fault(tag, SessionRejectReason.InvalidTagNumber);
        if (section === Section.Header) section = Section.Body;
        position++;
        continue;
      }
      if (message.starts[position] === message.ends[position])
        return this.#fault(tag, SessionRejectReason.TagSpecifiedWithoutAValue);
      const home = dictionary.sections[tag]!;
      if (home < section) return this.#fault(tag, SessionRejectReason.TagSpecifiedOutOfRequiredOrder);
      section = home as Section;
      const role = this.#blockOf(home, rules).roles[tag]!;
      if (role === Role.None) return this.#fault(tag, SessionRejectReason.TagNotDefinedForThisMessageType);
      if (role === Role.EntryField) return this.#fault(tag, SessionRejectReason.RepeatingGroupFieldsOutOfOrder);
      if (seenIn[tag] === check) return this.#fault(tag, SessionRejectReason.TagAppearsMoreThanOnce);
      seenIn[tag] = check;
      if (tag !== Tag.MsgType && !this.#valueHolds(message, position, tag)) return this.#reason;
      position = role >= Role.Group ? this.#group(message, position, role - Role.Group, rules) : position + 1;
      if (position < 0) return this.#reason;
    }
    this.#requireAll(dictionary.header.required, check);
    this.#requireAll(rules.required, check);
    return this.#reason;
  }

  #fault(tag: number, reason: SessionRejectReason): number {
    this.refTagID = tag;
    this.#reason = reason;
    return reason;
  }

  #isKnown(tag: number): boolean {
    return tag > 0 && tag < this.#dictionary.tagLimit && this.#dictionary.formats[tag] !== ValueFormat.None;
  }

  #isUserDefined(tag: number): boolean {
    return tag >= USER_DEFINED_FROM && this.#allowUserDefined;
  }

  #isCredential(message: FixMessage, tag: number): boolean {
    const isOne = tag === Tag.Username || tag === Tag.Password;
    return isOne && this.#allowCredentials && message.msgType === MsgType.Logon;
  }

  #blockOf(section: number, rules: BlockRules): BlockRules {
    if (section === Section.Body) return rules;
    return section === Section.Header ? this.#dictionary.header : this.#dictionary.trailer;
  }

  #requireAll(required: Int32Array, check: number): void {
    for (let i = 0; i < required.length && this.#reason === MESSAGE_VALID; i++) {
      if (this.#seenIn[required[i]!] !== check) this.#fault(required[i]!, SessionRejectReason.RequiredTagMissing);
    }
  }

  /** Format and value of a field that is not empty; false leaves the fault behind. */
  #valueHolds(message: FixMessage, position: number, tag: number): boolean {
    const dictionary = this.#dictionary;
    const format = dictionary.formats[tag] as ValueFormat;
    if (!isFormatted(message, position, format)) {
      this.#fault(tag, SessionRejectReason.IncorrectDataFormatForValue);
      return false;
    }
    const from = dictionary.firstValues[tag]!;
    const to = dictionary.firstValues[tag + 1]!;
    if (from === to) return true;
    const { buffer } = message;
    const end = message.ends[position]!;
    let start = message.starts[position]!;
    if (format === ValueFormat.Several) {
      for (let at = start; at < end; at++) {
        if (buffer[at] !== SPACE) continue;
        if (!this.#isOneOf(buffer, start, at, from, to)) break;
        start = at + 1;
      }
    }
    if (this.#isOneOf(buffer, start, end, from, to)) return true;
    this.#fault(tag, SessionRejectReason.ValueIsIncorrect);
    return false;
  }

  #isOneOf(buffer: Uint8Array, start: number, end: number, from: number, to: number): boolean {
    const { valueStarts, valueBytes } = this.#dictionary;
    const length = end - start;
    for (let value = from; value < to; value++) {
      const valueStart = valueStarts[value]!;
      if (valueStarts[value + 1]! - valueStart !== length) continue;
      let same = 0;
      while (same < length && buffer[start + same] === valueBytes[valueStart + same]) same++;
      if (same === length) return true;
    }
    return false;
  }

  /** Reads the entries behind the count at `countPosition`; the position after them, or -1 with the fault left behind. */
  #group(message: FixMessage, countPosition: number, groupIndex: number, rules: BlockRules): number {
    const group = this.#dictionary.groups[groupIndex]!;
    const { tags, count } = message;
    const countTag = tags[countPosition]!;
    const expected = message.int(countPosition);
    let position = countPosition + 1;
    let entryCount = 0;
    let entryStart = position;
    let lastPlace = 0;
    while (position < count) {
      const tag = tags[position]!;
      if (!this.#isKnown(tag)) {
        // One of the user's own belongs to the entry it stands in; any other the caller finds fault with.
        if (entryCount === 0 || !this.#isUserDefined(tag)) break;
        position++;
        continue;
      }
      const place = group.places[tag]!;
      if (place === 0) break;
      if (place === 1) {
        if (entryCount > 0 && !this.#entryHolds(message, entryStart, position, group)) return -1;
        entryCount++;
        entryStart = position;
      } else if (place <= lastPlace || entryCount === 0) {
        // A tag that the message has outside the group as well ends the group.
        if (rules.roles[tag]! === Role.Field) break;
        this.#fault(
          tag,
          place === lastPlace
            ? SessionRejectReason.TagAppearsMoreThanOnce
            : SessionRejectReason.RepeatingGroupFieldsOutOfOrder,
        );
        return -1;
      }
      lastPlace = place;
      if (message.starts[position] === message.ends[position]) {
        this.#fault(tag, SessionRejectReason.TagSpecifiedWithoutAValue);
        return -1;
      }
      if (!this.#valueHolds(message, position, tag)) return -1;
      const role = group.roles[tag]!;
      position = role >= Role.Group ? this.#group(message, position, role - Role.Group, rules) : position + 1;
      if (position < 0) return -1;
    }
    if (entryCount > 0 && !this.#entryHolds(message, entryStart, position, group)) return -1;
    if (entryCount === expected) return position;
    this.#fault(countTag, SessionRejectReason.IncorrectNumInGroupCountForRepeatingGroup);
    return -1;
  }

  /** Whether what each entry must have is in this one. */
  #entryHolds(message: FixMessage, start: number, end: number, group: GroupRules): boolean {
    const { required } = group;
    for (let i = 0; i < required.length; i++) {
      const tag = required[i]!;
      let position = start;
      while (position < end && message.tags[position] !== tag) position++;
      if (position < end) continue;
      this.#fault(tag, SessionRejectReason.RequiredTagMissing);
      return false;
    }
    return true;
  }
}
