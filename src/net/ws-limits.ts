/** Bounds of what one client may do; `ws-protocol.md` lists them for people. */

/** A longer message closes the connection with a code. */
export const MESSAGE_MAX_BYTES = 65_536;
/** A longer one is cut off by the library before it is read: no code reaches the client. */
export const MESSAGE_HARD_MAX_BYTES = 81_920;

export const SYMBOLS_PER_MESSAGE_MAX = 1_000;

/** Wrong messages of one connection, each answered with an error, before it is closed. */
export const PROTOCOL_ERRORS_MAX = 20;

/**
 * Messages a second, and how many may come at once; everything that a connection may subscribe to may come besides. So many symbols in a message count as one message
 * more, and so do so many whole bytes of it: what is paid for is time of the thread, and a thousand symbols take it milliseconds.
 */
export const MESSAGES_A_SECOND = 50;
export const MESSAGES_BURST = 200;
export const SYMBOLS_PER_TOKEN = 10;
export const BYTES_PER_TOKEN = 4_096;

/** A connection that was written to gets its next answers and events so much later, together: who makes many must not cost the others their turn. */
export const REPLIES_EVERY_MS = 4;

/** Answers that a client has not taken. */
export const REPLIES_MAX_BYTES = 262_144;

/** Bytes that wait for a client beyond which it gets no events until they are gone; they are then read from the ledger. */
export const EVENTS_MAX_BYTES = 65_536;

/** Bytes in the socket's own buffer beyond which a connection gets no quotes until they are gone. */
export const BUFFERED_MAX_BYTES = 16_384;

/** Silence after which a connection is closed. The library looks every four seconds and wants more than eight. */
export const IDLE_TIMEOUT_SECONDS = 60;
