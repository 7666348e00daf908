/*
 * The least that a server of quotes can do: epoll, and for each connection and tick one write of one frame, in which the quotes that it watches stand
 * one after the other. The bytes are those of outcry.v1.
 *
 *   joined-server INSTRUMENTS CONNECTIONS        prints `listening PORT FEED_PORT`, and ends with the feed's connection
 *
 * A connection upgrades, sends one binary message with the positions that it watches (u16, little-endian) and is answered by an empty message.
 * The feed sends ticks: u32 bytes of what follows, then for each quote u16 position, u8 length, and the entry of outcry.v1.
 */
#include "loopback-peer.h"

enum { EVENTS_MAX = 256, READ_BYTES = 65536, WATCHED_MAX = 1000, FRAME_HEAD_BYTES = 4, SHORT_PAYLOAD_MAX = 125 };
/* A tick of outcry.v1 is one of a phase: the numbers of a connection's frames grow by the phases. */
enum { PHASES = 8 };
/* epoll data: connections are numbered from FIRST_CONNECTION. */
enum { LISTENER = 0, FEED_LISTENER = 1, FEED = 2, FIRST_CONNECTION = 3 };

struct connection {
  int fd;
  uint16_t count;
  uint64_t last_tick;
  uint16_t *watched;
};

struct quote {
  uint64_t tick;
  const uint8_t *entry;
  uint8_t length;
};

/* Of the key in our load client's request, the only client that this server has. */
static const char UPGRADE[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: QQIm3NHGr5VqWMH4AKi0wpVzeIA=\r\n\r\n";

static struct connection *connections;
static uint32_t connection_count, connections_max;
static struct quote *quotes;
static uint32_t instruments;
static uint64_t tick;
static uint8_t frame[FRAME_HEAD_BYTES + 1 + 2 * VARINT_MAX_BYTES + WATCHED_MAX * 256];

static int listen_any(int *port) {
  int fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  struct sockaddr_in address = loopback_address(0);
  socklen_t length = sizeof address;
  must(bind(fd, (struct sockaddr *)&address, length), "bind");
  must(listen(fd, 1024), "listen");
  must(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
  *port = ntohs(address.sin_port);
  return fd;
}

static void serve(struct connection *connection) {
  uint8_t *payload = frame + FRAME_HEAD_BYTES;
  payload[0] = 1;
  size_t length = 1 + put_varint(payload + 1, tick);
  length += put_varint(payload + length, connection->last_tick == 0 ? 0 : tick - connection->last_tick);
  size_t empty = length;
  for (int i = 0; i < connection->count; i++) {
    const struct quote *quote = &quotes[connection->watched[i]];
    if (quote->tick != tick) continue;
    memcpy(payload + length, quote->entry, quote->length);
    length += quote->length;
  }
  if (length == empty) return;
  connection->last_tick = tick;
  uint8_t *start = payload - 2;
  if (length <= SHORT_PAYLOAD_MAX) {
    start[1] = (uint8_t)length;
  } else {
    start = payload - 4;
    start[1] = 126;
    start[2] = (uint8_t)(length >> 8);
    start[3] = (uint8_t)length;
  }
  start[0] = FIN_BINARY;
  write_whole(connection->fd, start, (size_t)(payload - start) + length);
}

/* Takes a whole tick. The entries stay where they are until it is sent. */
static void take_tick(const uint8_t *at, const uint8_t *end) {
  tick += PHASES;
  while (at < end) {
    uint32_t position = at[0] | at[1] << 8;
    if (position >= instruments || at + 3 + at[2] > end) give_up("a tick that cannot be read");
    quotes[position] = (struct quote){.tick = tick, .length = at[2], .entry = at + 3};
    at += 3 + at[2];
  }
  for (uint32_t i = 0; i < connection_count; i++) serve(&connections[i]);
}

/* Returns 0 when the feed has ended. */
static int read_feed(int fd) {
  static uint8_t bytes[1 << 20];
  static size_t held;
  ssize_t got = must(read(fd, bytes + held, sizeof bytes - held), "read of the feed");
  if (got == 0) return 0;
  held += (size_t)got;
  for (uint32_t length; held >= 4; held -= 4 + length) {
    memcpy(&length, bytes, 4);
    if (length > sizeof bytes - 4) give_up("a tick of %u bytes", length);
    if (held < 4 + length) break;
    take_tick(bytes + 4, bytes + 4 + length);
    memmove(bytes, bytes + 4 + length, held - 4 - length);
  }
  return 1;
}

static void accept_connection(int listener, int epoll) {
  if (connection_count == connections_max) give_up("more than %u connections", connections_max);
  int fd = (int)must(accept4(listener, NULL, NULL, SOCK_NONBLOCK), "accept");
  no_delay(fd);
  connections[connection_count].fd = fd;
  watch(epoll, fd, EPOLLIN, FIRST_CONNECTION + connection_count);
  connection_count++;
}

/* Request and subscription come whole: the load client sends each with one write and waits for the answer. */
static void read_connection(struct connection *connection) {
  static uint8_t bytes[READ_BYTES];
  ssize_t got = read(connection->fd, bytes, sizeof bytes);
  if (got <= 0) give_up("a connection was lost");
  if (bytes[0] == 'G') {
    write_whole(connection->fd, UPGRADE, sizeof UPGRADE - 1);
    return;
  }
  size_t head = 2, length = bytes[1] & 0x7f;
  if (length == 126) {
    length = (size_t)(bytes[2] << 8 | bytes[3]);
    head = 4;
  }
  /* The load client's masks are zero. */
  head += MASK_BYTES;
  if (connection->watched != NULL || head + length != (size_t)got || length / 2 > WATCHED_MAX)
    give_up("a message that is no subscription");
  connection->count = (uint16_t)(length / 2);
  connection->watched = must_have(malloc(length));
  memcpy(connection->watched, bytes + head, length);
  for (int i = 0; i < connection->count; i++)
    if (connection->watched[i] >= instruments) give_up("an instrument that is not there");
  static const uint8_t EMPTY[] = {FIN_BINARY, 0};
  write_whole(connection->fd, EMPTY, sizeof EMPTY);
}

int main(int count, char **arguments) {
  if (count != 3) give_up("joined-server INSTRUMENTS CONNECTIONS");
  signal(SIGPIPE, SIG_IGN);
  instruments = (uint32_t)atoi(arguments[1]);
  connections_max = (uint32_t)atoi(arguments[2]);
  quotes = must_have(calloc(instruments, sizeof *quotes));
  connections = must_have(calloc(connections_max, sizeof *connections));
  int port, feed_port;
  int epoll = (int)must(epoll_create1(0), "epoll_create1");
  int listener = listen_any(&port), feed_listener = listen_any(&feed_port), feed = -1;
  watch(epoll, listener, EPOLLIN, LISTENER);
  watch(epoll, feed_listener, EPOLLIN, FEED_LISTENER);
  printf("listening %d %d\n", port, feed_port);
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
    if (ready < 0 && errno != EINTR) must(ready, "epoll_wait");
    for (int i = 0; i < ready; i++) {
      switch (events[i].data.u64) {
        case LISTENER:
          accept_connection(listener, epoll);
          break;
        case FEED_LISTENER:
          feed = (int)must(accept(feed_listener, NULL, NULL), "accept of the feed");
          watch(epoll, feed, EPOLLIN, FEED);
          break;
        case FEED:
          if (!read_feed(feed)) return 0;
          break;
        default:
          read_connection(&connections[events[i].data.u64 - FIRST_CONNECTION]);
      }
    }
  }
}
