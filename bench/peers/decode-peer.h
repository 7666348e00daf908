/*
 * What the decoders in C and C++ have in common, so that only the decoding differs: finding a message and checking it, symbols to
 * instrument indices, and the timing. A peer is called with two files, symbols (one a line, in the order of their indices) and
 * messages (their bytes, one after the other). For each line with a number of milliseconds on stdin it reads all messages over and
 * over for so long and answers with a line `messages seconds checksum`.
 *
 * Checksum: over all entries, instrument index × 31 + price (paise) + size × 7, modulo 2^32.
 */
#ifndef OUTCRY_DECODE_PEER_H
#define OUTCRY_DECODE_PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOH = 1, TAG_SYMBOL = 55, TAG_MD_ENTRY_PX = 270, TAG_MD_ENTRY_SIZE = 271 };

/* BodyLength(9) may have so many digits. */
enum { BODY_LENGTH_DIGITS_MAX = 9, TRAILER_BYTES = 7 };

/* A message that stands whole in the bytes, BodyLength(9) and CheckSum(10) right. */
struct frame {
  const uint8_t *start;
  const uint8_t *body;
  const uint8_t *trailer;
  const uint8_t *end;
};

static inline int checksum_holds(const uint8_t *start, const uint8_t *trailer) {
  uint32_t sum = 0;
  for (const uint8_t *at = start; at < trailer; at++) sum += *at;
  uint32_t hundreds = trailer[3] - '0', tens = trailer[4] - '0', ones = trailer[5] - '0';
  return hundreds <= 2 && tens <= 9 && ones <= 9 && hundreds * 100 + tens * 10 + ones == (sum & 0xff);
}

/* Returns 0 when no whole message stands at `start`. */
static inline int find_frame(const uint8_t *start, const uint8_t *limit, struct frame *frame) {
  if (limit - start < 22 || memcmp(start, "8=FIX", 5) != 0) return 0;
  const uint8_t *at = start + 5;
  while (at < limit && *at != SOH) at++;
  if (limit - at < 3 || at[1] != '9' || at[2] != '=') return 0;
  at += 3;
  size_t body_length = 0;
  const uint8_t *digits = at;
  for (; at < limit && *at != SOH; at++) {
    uint32_t digit = *at - '0';
    if (digit > 9 || at - digits >= BODY_LENGTH_DIGITS_MAX) return 0;
    body_length = body_length * 10 + digit;
  }
  if (at == limit || (size_t)(limit - at) < 1 + body_length + TRAILER_BYTES || body_length < 5) return 0;
  frame->start = start;
  frame->body = at + 1;
  frame->trailer = frame->body + body_length;
  frame->end = frame->trailer + TRAILER_BYTES;
  if (memcmp(frame->body, "35=", 3) != 0 || frame->trailer[-1] != SOH) return 0;
  if (memcmp(frame->trailer, "10=", 3) != 0 || frame->end[-1] != SOH) return 0;
  return checksum_holds(start, frame->trailer);
}

static inline int64_t parse_int(const uint8_t *at, const uint8_t *end) {
  int64_t value = 0;
  for (; at < end; at++) value = value * 10 + (*at - '0');
  return value;
}

/* Up to two decimals, as paise. */
static inline int64_t parse_paise(const uint8_t *at, const uint8_t *end) {
  int negative = at < end && *at == '-';
  if (negative) at++;
  int64_t value = 0;
  for (; at < end && *at != '.'; at++) value = value * 10 + (*at - '0');
  value *= 100;
  int64_t scale = 10;
  for (at++; at < end; at++, scale /= 10) value += (*at - '0') * scale;
  return negative ? -value : value;
}

/* Symbols by FNV-1a and open addressing, at most half full: index + 1, 0 for an empty bucket. */
struct symbols {
  char **names;
  size_t *lengths;
  uint32_t *buckets;
  uint32_t mask;
};

static inline uint32_t hash_of(const uint8_t *at, size_t length) {
  uint32_t hash = 0x811c9dc5u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ at[i]) * 0x01000193u;
  return hash ^ (hash >> 15);
}

static inline int32_t index_of(const struct symbols *symbols, const uint8_t *at, size_t length) {
  for (uint32_t bucket = hash_of(at, length) & symbols->mask;; bucket = (bucket + 1) & symbols->mask) {
    uint32_t held = symbols->buckets[bucket];
    if (held == 0) return -1;
    if (symbols->lengths[held - 1] == length && memcmp(symbols->names[held - 1], at, length) == 0) return (int32_t)(held - 1);
  }
}

/* The entries of one instrument are adjacent: `last` is the index of the entry before, -1 at first. */
static inline int32_t lookup(const struct symbols *symbols, const uint8_t *at, size_t length, int32_t *last) {
  int32_t index = *last;
  if (index >= 0 && symbols->lengths[index] == length && memcmp(symbols->names[index], at, length) == 0) return index;
  return *last = index_of(symbols, at, length);
}

static inline void *must(void *pointer, const char *what) {
  if (pointer != NULL) return pointer;
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static inline uint8_t *read_file(const char *path, size_t *length) {
  FILE *file = (FILE *)must(fopen(path, "rb"), path);
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = (uint8_t *)must(malloc(*length + 1), "no memory");
  if (fread(bytes, 1, *length, file) != *length) must(NULL, path);
  fclose(file);
  bytes[*length] = 0;
  return bytes;
}

static inline void load_symbols(struct symbols *symbols, const char *path) {
  size_t length;
  char *text = (char *)read_file(path, &length);
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += text[i] == '\n';
  uint32_t bucket_count = 16;
  while (bucket_count < count * 2) bucket_count *= 2;
  symbols->names = (char **)must(calloc(count, sizeof(char *)), "no memory");
  symbols->lengths = (size_t *)must(calloc(count, sizeof(size_t)), "no memory");
  symbols->buckets = (uint32_t *)must(calloc(bucket_count, sizeof(uint32_t)), "no memory");
  symbols->mask = bucket_count - 1;
  char *name = text;
  for (uint32_t i = 0; i < count; i++) {
    char *end = strchr(name, '\n');
    symbols->names[i] = name;
    symbols->lengths[i] = (size_t)(end - name);
    uint32_t bucket = hash_of((const uint8_t *)name, symbols->lengths[i]) & symbols->mask;
    while (symbols->buckets[bucket] != 0) bucket = (bucket + 1) & symbols->mask;
    symbols->buckets[bucket] = i + 1;
    name = end + 1;
  }
}

static inline double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Reads one message; returns the sum over its entries. */
typedef uint32_t (*decode_message)(const struct symbols *symbols, const struct frame *frame);

static inline int serve_rounds(const char *symbols_path, const char *messages_path, decode_message decode) {
  struct symbols symbols;
  load_symbols(&symbols, symbols_path);
  size_t length;
  const uint8_t *bytes = read_file(messages_path, &length);
  long milliseconds;
  while (scanf("%ld", &milliseconds) == 1) {
    uint64_t messages = 0;
    uint32_t checksum = 0;
    double start = seconds_now();
    double elapsed;
    do {
      struct frame frame;
      for (const uint8_t *at = bytes; at < bytes + length; at = frame.end) {
        if (!find_frame(at, bytes + length, &frame)) must(NULL, "every message of the bench is well formed");
        checksum += decode(&symbols, &frame);
        messages++;
      }
      elapsed = seconds_now() - start;
    } while (elapsed * 1000 < (double)milliseconds);
    printf("%llu %.9f %d\n", (unsigned long long)messages, elapsed, (int32_t)checksum);
    fflush(stdout);
  }
  return 0;
}

#endif
