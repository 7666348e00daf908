/** Bytes of a TCP segment beside its payload: IPv4 20, TCP 20, and 12 for time stamps. */
const SEGMENT_HEAD_BYTES = 52;
/** A segment's payload on Ethernet. */
const SEGMENT_BYTES_MAX = 1_448;
/** Head of a server's WebSocket frame (RFC 6455): 2 bytes, and 2 more for a payload above 125. */
const FRAME_HEAD_BYTES = 2;
const LONG_FRAME_HEAD_BYTES = 4;
const SHORT_PAYLOAD_BYTES_MAX = 125;
/** A record of TLS 1.3: head 5, type 1, tag 16. */
const TLS_RECORD_BYTES = 22;

/** What leaves a node for frames of this mean size: a send each, in as many segments as it needs. */
export function wireBytesPerSecond(framesPerSecond: number, payloadBytesPerSecond: number, tls: boolean): number {
  if (framesPerSecond === 0) return 0;
  const payload = payloadBytesPerSecond / framesPerSecond;
  const head = payload > SHORT_PAYLOAD_BYTES_MAX ? LONG_FRAME_HEAD_BYTES : FRAME_HEAD_BYTES;
  const sent = payload + head + (tls ? TLS_RECORD_BYTES : 0);
  return framesPerSecond * (sent + Math.ceil(sent / SEGMENT_BYTES_MAX) * SEGMENT_HEAD_BYTES);
}
