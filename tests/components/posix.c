// A command that asks the C library for everything that WASI's cli, clocks, random and io stand behind.
// The first argument says how it ends.

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double seconds(clockid_t clock) {
  struct timespec now;
  return clock_gettime(clock, &now) ? -1 : now.tv_sec + now.tv_nsec / 1e9;
}

static void show_what_was_given(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  for (char **each = environ; *each; each++) printf("environment: %s\n", *each);
}

static void copy_input(void) {
  char buffer[1000];
  size_t count, total = 0, lines = 0;
  while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
    total += count;
    for (size_t i = 0; i < count; i++) lines += buffer[i] == '\n';
    fwrite(buffer, 1, count, stdout);
  }
  printf("\n%zu bytes, %zu lines, end %d, error %d\n", total, lines, feof(stdin), ferror(stdin));
}

static void watch_the_clocks(void) {
  double before = seconds(CLOCK_MONOTONIC);
  struct timespec nap = {0, 3000000};
  printf("nap: %d\n", nanosleep(&nap, NULL));
  double passed = seconds(CLOCK_MONOTONIC) - before;
  printf("time passes: %d\n", passed >= 0.003 && passed < 10);
  printf("this century: %d\n", seconds(CLOCK_REALTIME) > 1.7e9);
  struct timespec tick;
  printf("a tick: %d %d\n", clock_getres(CLOCK_MONOTONIC, &tick), tick.tv_nsec > 0);
}

static void draw_lots(void) {
  unsigned char first[200], second[200];
  printf("entropy: %d %d", getentropy(first, sizeof first), getentropy(second, sizeof second));
  printf(", alike: %d\n", !memcmp(first, second, sizeof first));
}

static void look_for_files(void) {
  printf("open: %p", (void *)fopen("/etc/passwd", "r"));
  printf(" %s\n", strerror(errno));
  printf("list: %p", (void *)opendir("."));
  printf(" %s\n", strerror(errno));
  printf("terminals: %d %d %d\n", isatty(0), isatty(1), isatty(2));
}

static void poll_the_streams(void) {
  struct pollfd streams[] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
  int ready = poll(streams, 2, 50);
  printf("poll: %d, out %d\n", ready > 0, (streams[1].revents & POLLOUT) != 0);
  printf("poll of nothing, 1 ms: %d\n", poll(streams, 0, 1) <= 0);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOFBF, 300);
  show_what_was_given(argc, argv);
  copy_input();
  watch_the_clocks();
  draw_lots();
  look_for_files();
  poll_the_streams();
  fprintf(stderr, "errors %s", "unbuffered, without an end");
  const char *end = argc > 1 ? argv[1] : "return";
  if (!strcmp(end, "abort")) abort();
  if (!strcmp(end, "exit")) exit(3);
  if (!strcmp(end, "quick")) _Exit(0);
  return !strcmp(end, "fail");
}
