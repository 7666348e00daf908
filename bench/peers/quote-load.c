/*
 * Thousands of WebSocket clients that read everything and count it: the load of the comparison, the same program for every server.
 *
 *   quote-load PORT CONNECTIONS PLAN DECODER QUOTES_A_TICK MARKS AWAKE
 *
 * PLAN is a file with, for each connection, u32 length and bytes of the upgrade request, then u32 length and bytes of what follows the upgrade (masked
 * with zero, which a server cannot tell from another mask). DECODER says what a message carries: `entries` a frame of outcry.v1, `outcry` the same with
 * its acknowledgements, `message` one quote, `nats` the text protocol of NATS. A connection is open when it was sent MARKS marks: keyframes, empty
 * messages, PONGs; with none, when it is upgraded.
 *
 * Prints `ready` when all are open, and `tick` whenever every connection has had QUOTES_A_TICK quotes more. A quote too many, a lost connection or
 * anything that cannot be read ends it with an error. On stdin: `begin` counts from here on (answered `begun`; what comes before the first does not
 * count for a tick either: an instrument of which nothing is heard turns stale, which is a change), `end` is answered
 * `quotes messages bytes byteSum reads busySeconds seconds`, where byteSum adds up the bytes of the quotes' entries. AWAKE 1: never sleep in between.
 */
#include "loopback-peer.h"
#include <fcntl.h>
#include <netinet/in.h>

enum { EVENTS_MAX = 512, READ_BYTES = 1 << 18, OPENING_MAX = 100, RESTS_MAX = 1 << 20, SLICES = 100, SLEEP_MS = 10 };
enum { ACK_BYTES = 8192, ACK_INTERVAL_MS = 1000, EXIT_SLOW = 3 };
enum { TYPE_QUOTES = 1, DEPTH_BIT = 1 << 8, TYPE_ACK = 3 };
enum { OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_PING = 9, OPCODE_PONG = 10 };
#define STDIN_DATA UINT64_MAX

enum decoder { ENTRIES, OUTCRY, MESSAGE, NATS };
static const char *const DECODERS[] = {"entries", "outcry", "message", "nats"};
enum phase { UPGRADING, OPENING, OPEN };

struct connection {
  int fd;
  uint8_t phase;
  uint32_t marks, quotes;
  /* What the last read left of a frame that is not whole. */
  uint8_t *rest;
  uint32_t rest_length;
  uint32_t unacked;
  uint64_t tick;
};

struct text {
  const uint8_t *at;
  uint32_t length;
};

static struct connection *connections;
static struct text *after_upgrade, *requests;
static uint32_t connection_count, opened, open_count, quotes_a_tick, marks_needed, target, pending, is_counting;
static enum decoder decoder;
static int epoll, port;
static uint8_t buffer[RESTS_MAX + READ_BYTES];
static uint64_t quotes, messages, bytes, byte_sum, reads, busy_nanos;

static uint64_t nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void say(const char *line) { write_whole(STDOUT_FILENO, line, strlen(line)); }

static void mark(struct connection *connection) {
  if (connection->phase != OPENING || ++connection->marks < marks_needed) return;
  connection->phase = OPEN;
  if (++open_count == connection_count) say("ready\n");
}

static inline void count(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  if (!is_counting) return;
  uint64_t sum = 0;
  while (at < end) sum += *at++;
  byte_sum += sum;
  quotes++;
  if (++connection->quotes < target) return;
  if (connection->quotes > target) give_up("connection %td was sent a quote too many", connection - connections);
  if (--pending > 0) return;
  target += quotes_a_tick;
  pending = connection_count;
  say("tick\n");
}

/* The server waited too long for an acknowledgement: on a crowded machine this program may not have run for seconds. */
__attribute__((noreturn)) static void end_as_slow(const struct connection *connection) {
  fprintf(stderr, "connection %td was taken for a slow one\n", connection - connections);
  exit(EXIT_SLOW);
}

static inline uint64_t varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (int shift = 0; *at < end && shift < 7 * VARINT_MAX_BYTES; shift += 7) {
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  give_up("a number that does not end");
}

static void acknowledge(struct connection *connection) {
  uint8_t message[2 + MASK_BYTES + 1 + VARINT_MAX_BYTES] = {FIN_BINARY, 0x80};
  message[2 + MASK_BYTES] = TYPE_ACK;
  size_t length = 1 + put_varint(message + 2 + MASK_BYTES + 1, connection->tick);
  message[1] |= (uint8_t)length;
  write_whole(connection->fd, message, 2 + MASK_BYTES + length);
  connection->unacked = 0;
}

static void take_entries(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  if (at == end) return mark(connection);
  if (*at != TYPE_QUOTES) return;
  connection->unacked += (uint32_t)(end - at);
  at++;
  uint64_t tick = varint(&at, end), back = varint(&at, end);
  if (back != 0 && tick - back != connection->tick) give_up("connection %td missed a frame", connection - connections);
  connection->tick = tick;
  uint64_t before = quotes;
  while (at < end) {
    const uint8_t *entry = at;
    int is_keyframe = varint(&at, end) & 1;
    uint64_t mask = varint(&at, end);
    if (mask & DEPTH_BIT) give_up("a quote with depth: nobody asked for that");
    for (; mask != 0; mask &= mask - 1) varint(&at, end);
    if (!is_keyframe) count(connection, entry, at);
    else if (is_counting) end_as_slow(connection);
    else mark(connection);
  }
  if (quotes == before) return;
  messages++;
  if (decoder == OUTCRY && connection->unacked >= ACK_BYTES) acknowledge(connection);
}

static void take_nats(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  uint64_t before = quotes;
  while (at < end) {
    const uint8_t *line = at;
    const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
    if (line_end == NULL) give_up("a NATS message in two frames");
    at = line_end + 1;
    if (memcmp(line, "MSG ", 4) == 0) {
      const uint8_t *digits = line_end - 1;
      while (digits[-1] != ' ') digits--;
      uint32_t length = (uint32_t)strtoul((const char *)digits, NULL, 10);
      if (at + length + 2 > end) give_up("a NATS message in two frames");
      count(connection, at, at + length);
      at += length + 2;
    } else if (memcmp(line, "PONG", 4) == 0) {
      mark(connection);
    } else if (memcmp(line, "PING", 4) == 0) {
      static const uint8_t PONG[] = {FIN_BINARY, 0x80 | 6, 0, 0, 0, 0, 'P', 'O', 'N', 'G', '\r', '\n'};
      write_whole(connection->fd, PONG, sizeof PONG);
    } else if (memcmp(line, "INFO", 4) != 0) {
      give_up("NATS says: %.*s", (int)(line_end - line), line);
    }
  }
  if (quotes != before) messages++;
}

static void take_message(struct connection *connection, int opcode, const uint8_t *at, const uint8_t *end) {
  if (opcode == OPCODE_PING) {
    uint8_t pong[2 + MASK_BYTES + 125] = {0x80 | OPCODE_PONG, (uint8_t)(0x80 | (end - at))};
    memcpy(pong + 2 + MASK_BYTES, at, (size_t)(end - at));
    write_whole(connection->fd, pong, 2 + MASK_BYTES + (size_t)(end - at));
    return;
  }
  if (opcode != OPCODE_BINARY && opcode != OPCODE_TEXT) give_up("an unexpected frame, opcode %d", opcode);
  bytes += (uint64_t)(end - at);
  if (decoder == ENTRIES || decoder == OUTCRY) return take_entries(connection, at, end);
  if (decoder == NATS) return take_nats(connection, at, end);
  if (at == end) return mark(connection);
  messages++;
  count(connection, at, end);
}

/* Returns where the next frame begins, `at` itself when this one is not whole. */
static const uint8_t *take_frame(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  if (end - at < 2) return at;
  size_t head = 2;
  uint64_t length = at[1];
  if (length > 125) {
    size_t width = length == 126 ? 2 : 8;
    if ((size_t)(end - at) < 2 + width) return at;
    length = 0;
    for (size_t i = 0; i < width; i++) length = length << 8 | at[2 + i];
    head += width;
  }
  if (head + length > RESTS_MAX) give_up("a frame of %llu bytes", (unsigned long long)length);
  if ((uint64_t)(end - at) < head + length) return at;
  if ((at[0] & 0xf0) != 0x80) give_up("a fragment, first byte %d", at[0]);
  take_message(connection, at[0] & 0x0f, at + head, at + head + length);
  return at + head + length;
}

static const uint8_t *take_upgrade(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  const uint8_t *head_end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
  if (head_end == NULL) return at;
  if (memcmp(at, "HTTP/1.1 101", 12) != 0) give_up("no upgrade: %.*s", (int)(head_end - at), at);
  connection->phase = OPENING;
  const struct text *message = &after_upgrade[connection - connections];
  if (message->length > 0) write_whole(connection->fd, message->at, message->length);
  if (marks_needed == 0) mark(connection);
  return head_end + 4;
}

static void take_bytes(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  if (connection->phase == UPGRADING) {
    at = take_upgrade(connection, at, end);
    if (connection->phase == UPGRADING) give_up("an upgrade in two pieces");
  }
  for (const uint8_t *next; at < end; at = next) {
    next = take_frame(connection, at, end);
    if (next == at) break;
  }
  connection->rest_length = (uint32_t)(end - at);
  if (connection->rest_length > 0) {
    connection->rest = must_have(realloc(connection->rest, connection->rest_length));
    memcpy(connection->rest, at, connection->rest_length);
  }
}

static void read_connection(struct connection *connection) {
  for (;;) {
    uint32_t held = connection->rest_length;
    if (held > 0) memcpy(buffer, connection->rest, held);
    ssize_t got = read(connection->fd, buffer + held, READ_BYTES);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) give_up("connection %td was lost", connection - connections);
    reads++;
    take_bytes(connection, buffer, buffer + held + got);
    /* Edge-triggered: a read that did not fill the buffer has emptied the socket. */
    if (got < READ_BYTES) return;
  }
}

static void open_next(void) {
  struct connection *connection = &connections[opened];
  struct sockaddr_in address = loopback_address(port);
  connection->fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(connect(connection->fd, (struct sockaddr *)&address, sizeof address), "connect");
  must(fcntl(connection->fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
  no_delay(connection->fd);
  watch(epoll, connection->fd, EPOLLIN | EPOLLET, opened);
  write_whole(connection->fd, requests[opened].at, requests[opened].length);
  opened++;
}

static struct text read_text(FILE *plan) {
  uint32_t length;
  if (fread(&length, sizeof length, 1, plan) != 1) give_up("the plan ends early");
  uint8_t *text = must_have(malloc(length + 1));
  if (fread(text, 1, length, plan) != length) give_up("the plan ends early");
  return (struct text){text, length};
}

static void read_plan(const char *path) {
  FILE *plan = must_have(fopen(path, "rb"));
  requests = must_have(calloc(connection_count, sizeof *requests));
  after_upgrade = must_have(calloc(connection_count, sizeof *after_upgrade));
  for (uint32_t i = 0; i < connection_count; i++) {
    requests[i] = read_text(plan);
    after_upgrade[i] = read_text(plan);
  }
  fclose(plan);
}

/* Acknowledgements are due every second: a part of the connections at a time, so that they come evenly; what is late is made up for. */
static void acknowledge_slices(uint64_t now) {
  static uint64_t due;
  static uint32_t slice;
  if (decoder != OUTCRY) return;
  for (int slices = 0; now >= due && slices < SLICES; slices++) {
    slice = (slice + 1) % SLICES;
    for (uint32_t i = slice; i < opened; i += SLICES)
      if (connections[i].phase == OPEN && connections[i].unacked > 0) acknowledge(&connections[i]);
    due = due == 0 ? now : due + ACK_INTERVAL_MS * 1000000ull / SLICES;
  }
}

/* Obeys one line of stdin; true when it is measured from here on. */
static int obey(int measuring, uint64_t *since) {
  char line[64], answer[256];
  ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
  if (got <= 0) exit(0);
  line[got] = 0;
  if (strcmp(line, "begin\n") == 0) {
    quotes = messages = bytes = byte_sum = reads = busy_nanos = 0;
    is_counting = 1;
    *since = nanos();
    say("begun\n");
    return 1;
  }
  if (strcmp(line, "end\n") != 0 || !measuring) give_up("an order that is none: %s", line);
  snprintf(answer, sizeof answer, "%llu %llu %llu %llu %llu %.6f %.6f\n", (unsigned long long)quotes,
           (unsigned long long)messages, (unsigned long long)bytes, (unsigned long long)byte_sum, (unsigned long long)reads,
           (double)busy_nanos / 1e9, (double)(nanos() - *since) / 1e9);
  say(answer);
  /* The server ends next, and then this. */
  for (;;) pause();
}

int main(int argument_count, char **arguments) {
  if (argument_count != 8) give_up("quote-load PORT CONNECTIONS PLAN DECODER QUOTES_A_TICK MARKS AWAKE");
  signal(SIGPIPE, SIG_IGN);
  port = atoi(arguments[1]);
  connection_count = pending = (uint32_t)atoi(arguments[2]);
  read_plan(arguments[3]);
  while (strcmp(arguments[4], DECODERS[decoder]) != 0)
    if (decoder++ == NATS) give_up("there is no decoder %s", arguments[4]);
  quotes_a_tick = target = (uint32_t)atoi(arguments[5]);
  marks_needed = (uint32_t)atoi(arguments[6]);
  int awake = atoi(arguments[7]), measuring = 0;
  uint64_t since = 0;
  connections = must_have(calloc(connection_count, sizeof *connections));
  epoll = (int)must(epoll_create1(0), "epoll_create1");
  watch(epoll, STDIN_FILENO, EPOLLIN, STDIN_DATA);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    while (opened < connection_count && opened - open_count < OPENING_MAX) open_next();
    int ready = epoll_wait(epoll, events, EVENTS_MAX, measuring && awake ? 0 : SLEEP_MS);
    if (ready < 0 && errno != EINTR) must(ready, "epoll_wait");
    uint64_t began = nanos();
    for (int i = 0; i < ready; i++) {
      if (events[i].data.u64 == STDIN_DATA) measuring = obey(measuring, &since);
      else read_connection(&connections[events[i].data.u64]);
    }
    acknowledge_slices(began);
    if (ready > 0) busy_nanos += nanos() - began;
  }
}
