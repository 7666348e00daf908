/*
 * The engine's way of reading a message, in plain C: frame, CheckSum, a field index in one pass, then the values of the fields wanted.
 * The least that a decoder in C would do; what it lacks is what only hostile bytes need.
 */
#include "decode-peer.h"

enum { FIELDS_MAX = 4096 };

static int32_t tags[FIELDS_MAX];
static const uint8_t *starts[FIELDS_MAX];
static const uint8_t *ends[FIELDS_MAX];

static uint32_t decode(const struct symbols *symbols, const struct frame *frame) {
  int count = 0;
  for (const uint8_t *at = frame->body; at < frame->trailer && count < FIELDS_MAX; at++) {
    int32_t tag = 0;
    for (; *at != '='; at++) {
      uint32_t digit = *at - '0';
      if (digit > 9) must(NULL, "every message of the bench is well formed");
      tag = tag * 10 + (int32_t)digit;
    }
    const uint8_t *start = ++at;
    while (*at != SOH) at++;
    tags[count] = tag;
    starts[count] = start;
    ends[count] = at;
    count++;
  }
  uint32_t checksum = 0;
  int32_t last = -1;
  for (int i = 0; i < count; i++) {
    switch (tags[i]) {
      case TAG_SYMBOL:
        checksum += (uint32_t)lookup(symbols, starts[i], (size_t)(ends[i] - starts[i]), &last) * 31;
        break;
      case TAG_MD_ENTRY_PX:
        checksum += (uint32_t)parse_paise(starts[i], ends[i]);
        break;
      case TAG_MD_ENTRY_SIZE:
        checksum += (uint32_t)parse_int(starts[i], ends[i]) * 7;
        break;
    }
  }
  return checksum;
}

int main(int argc, char **argv) {
  if (argc != 3) must(NULL, "usage: c-scan SYMBOLS MESSAGES");
  return serve_rounds(argv[1], argv[2], decode);
}
