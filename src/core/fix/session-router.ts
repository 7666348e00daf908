import { assert } from '../assert.ts';

/**
 * Which of several sessions to one venue an account's messages go over. All messages of an account are on one session, whatever its state: orders
 * of one account on two sessions could overtake each other, and what a session that is down still has in flight is unknown until it is back.
 */
export class SessionRouter {
  readonly #names: readonly string[];
  readonly #pinned: ReadonlyMap<string, number>;

  /** `names` are the sessions', each once; `pinned` gives accounts to sessions by name. */
  constructor(names: readonly string[], pinned: ReadonlyMap<string, string> = new Map()) {
    assert(names.length > 0 && new Set(names).size === names.length, 'at least one session, each name once');
    this.#names = names;
    const positions = new Map<string, number>();
    for (const [account, name] of pinned) {
      const position = names.indexOf(name);
      assert(position >= 0, `account ${account} is pinned to ${name}, which is no session`);
      positions.set(account, position);
    }
    this.#pinned = positions;
  }

  /**
   * The position of the account's session. It depends on the names alone: the same today and after a restart, and one more session takes accounts
   * from the others only for itself (rendezvous hashing, Thaler and Ravishankar 1998).
   */
  sessionOf(account: string): number {
    const pinned = this.#pinned.get(account);
    if (pinned !== undefined) return pinned;
    let best = 0;
    let bestWeight = -1;
    for (let position = 0; position < this.#names.length; position++) {
      const weight = weightOf(this.#names[position]!, account);
      if (weight > bestWeight) {
        best = position;
        bestWeight = weight;
      }
    }
    return best;
  }
}

/** FNV-1a over both, with a final mix (MurmurHash3's): FNV alone leaves names that differ in their last letter alike. */
function weightOf(name: string, account: string): number {
  let hash = 0x811c9dc5;
  for (const text of [name, '\u0001', account]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
