export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * How every part outside the core writes to the log: a fixed sentence, with what varies in `fields`. Off the hot path
 * only; secrets never go in.
 */
export type Log = (level: LogLevel, text: string, fields?: Readonly<Record<string, unknown>>) => void;
