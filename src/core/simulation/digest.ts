/** A number that tells two courses of things apart (FNV-1a, twice 32 bits). */
export class Digest {
  #high = 0x811c9dc5;
  #low = 0x2f0b4c47;

  add(value: number): void {
    this.#word(value >>> 0);
    this.#word(Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i));
  }

  toString(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }

  #word(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193) >>> 0;
    this.#low = Math.imul(this.#low ^ (word + 0x9e3779b9), 0x01000193) >>> 0;
  }
}
