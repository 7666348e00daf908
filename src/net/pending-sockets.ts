import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';

/**
 * Sockets that have connected and not become WebSockets: of those who are on the way to it, who ask for a page, and who never say a word. Each is a file; once a
 * process has no file left, the library tries again to accept without a pause, and takes the whole thread for it.
 */
export class PendingSockets {
  readonly #max: number;
  readonly #onRefused: () => void;
  #count = 0;

  constructor(max: number, onRefused: () => void) {
    this.#max = max;
    this.#onRefused = onRefused;
  }

  mount(app: TemplatedApp): void {
    app.filter((response, change) => this.#changed(response, Number(change)));
  }

  /** One of them is a WebSocket from now on: the library's filter is not told of its end. */
  upgraded(): void {
    this.#count--;
  }

  #changed(response: HttpResponse, change: number): void {
    this.#count += change;
    if (change < 0 || this.#count <= this.#max) return;
    this.#onRefused();
    response.close();
  }
}
