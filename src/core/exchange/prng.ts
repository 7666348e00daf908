// hot: per simulated event. Integers in typed arrays; no allocation.

/**
 * xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), its state filled from the seed by splitmix32.
 * Everything random in the simulated market comes from one of these, so that a seed is a market.
 */
export class Prng {
  readonly #state = new Uint32Array(4);

  /** Any whole number; its low 32 bits and its high ones both count. */
  constructor(seed: number) {
    let mixed = (seed ^ Math.floor(seed / 0x1_0000_0000)) >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.#state[i] = z ^ (z >>> 16);
    }
    if ((this.#state[0]! | this.#state[1]! | this.#state[2]! | this.#state[3]!) === 0) this.#state[0] = 1;
  }

  /** Uniform over 0 to 2^32 − 1. */
  next(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const scrambled = Math.imul(s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const s2 = s[2]! ^ s[0]!;
    const s3 = s[3]! ^ s1;
    s[1] = s1 ^ s2;
    s[0] = s[0]! ^ s3;
    s[2] = s2 ^ (s1 << 9);
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** Uniform over [0, 1). */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** Uniform over 0 to `bound` − 1, `bound` up to 2^31; the bias is below bound / 2^32. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  /**
   * Close to a standard normal: the sum of four uniforms, scaled to variance 1, so within ±3.5. Only exact IEEE operations, hence the same on
   * every machine; a logarithm or sine need not be.
   */
  normal(): number {
    return (this.unit() + this.unit() + this.unit() + this.unit() - 2) * 1.7320508075688772;
  }
}
