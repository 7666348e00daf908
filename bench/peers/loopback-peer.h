/*
 * What the WebSocket programs of the comparison have in common: sockets on 127.0.0.1, and giving up loudly. Nothing that goes wrong in a bench is
 * repaired, the run is void.
 */
#ifndef OUTCRY_LOOPBACK_PEER_H
#define OUTCRY_LOOPBACK_PEER_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FIN_BINARY = 0x82, MASK_BYTES = 4, VARINT_MAX_BYTES = 8 };

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static inline int64_t must(int64_t result, const char *what) {
  if (result < 0) give_up("%s: %s", what, strerror(errno));
  return result;
}

static inline void *must_have(void *memory) {
  if (memory == NULL) give_up("no memory");
  return memory;
}

static inline struct sockaddr_in loopback_address(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static inline void no_delay(int fd) {
  int on = 1;
  must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

static inline void watch(int epoll, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* Sockets hold whole what is written to them: at most one tick is on its way. */
static inline void write_whole(int fd, const void *bytes, size_t length) {
  ssize_t written = write(fd, bytes, length);
  if (written != (ssize_t)length) give_up("a socket took %zd of %zu bytes: %s", written, length, strerror(errno));
}

static inline size_t put_varint(uint8_t *out, uint64_t value) {
  size_t at = 0;
  for (; value > 0x7f; value >>= 7) out[at++] = (uint8_t)(value | 0x80);
  out[at++] = (uint8_t)value;
  return at;
}

#endif
