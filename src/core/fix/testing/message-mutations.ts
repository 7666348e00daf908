/** What goes wrong with FIX messages, drawn by a seed: for fuzz tests. */

const SOH = 1;
/** SOH in texts: a character that no byte gives. */
export const SOH_CHARACTER = '␁';
/** Bytes that mean something to a framer, more likely than others to take a wrong turn. */
const TELLING_BYTES = [SOH, 61, 48, 49, 51, 53, 56, 57, 70, 73, 88, 0, 255];

/** Changes a message in one place. */
export function mutate(message: number[], random: (below: number) => number): void {
  const at = random(message.length + 1);
  const byte = random(2) === 0 ? TELLING_BYTES[random(TELLING_BYTES.length)]! : random(256);
  switch (random(6)) {
    case 0:
      message[Math.min(at, message.length - 1)] = byte;
      break;
    case 1:
      message.splice(at, 0, byte);
      break;
    case 2:
      message.splice(at, 1 + random(5));
      break;
    case 3:
      message.splice(at, 0, ...message.slice(random(message.length), random(message.length + 1)));
      break;
    case 4:
      message.length = at;
      break;
    case 5:
      message.splice(at, 0, ...bytesOf('␁8=FIX.4.4␁9='));
      break;
  }
  if (message.length === 0) message.push(byte);
}

/** Makes BodyLength(9) and CheckSum(10) right again where their fields are still there, so that the mutation reaches the decoder. */
export function repair(message: number[]): void {
  const parts = /^(8=FIX[^␁]*␁)9=\d+␁([\s\S]*␁)10=\d\d\d␁$/.exec(textOf(message, 0, message.length));
  if (parts === null) return;
  const body = parts[2]!;
  const counted = bytesOf(`${parts[1]}9=${body.length}␁${body}`);
  const sum = counted.reduce((total, byte) => total + byte, 0);
  message.length = 0;
  message.push(...counted, ...bytesOf(`10=${String(sum % 256).padStart(3, '0')}␁`));
}

/** Bytes as text, one character each. */
export function textOf(bytes: ArrayLike<number>, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += bytes[at] === SOH ? SOH_CHARACTER : String.fromCharCode(bytes[at]!);
  return text;
}

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => (character === SOH_CHARACTER ? SOH : character.charCodeAt(0)));
}
