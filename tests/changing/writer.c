/* LD_PRELOAD: plays the process that writes to a file while the program reads it, always at the same place.
   CHANGE_PATH: the file, with all links resolved. CHANGE_COMMAND: what is done to it. CHANGE_TIMES: how often, each
   time that it is read: a small file once its bytes were read, a large one once half a mebibyte was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int times;
static atomic_int is_beyond;

static int is_watched(int fd) {
  const char *path = getenv("CHANGE_PATH");
  char link[64], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = path ? readlink(link, target, sizeof target - 1) : -1;
  if (length < 0) return 0;
  target[length] = 0;
  return strcmp(target, path) == 0;
}

static void change(void) {
  if (atomic_fetch_add(&times, 1) >= atoi(getenv("CHANGE_TIMES"))) return;
  char command[8192];
  snprintf(command, sizeof command, "unset LD_PRELOAD; %s", getenv("CHANGE_COMMAND"));
  if (system(command) != 0) abort();
}

ssize_t read(int fd, void *buffer, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "read");
  ssize_t got = real(fd, buffer, size);
  /* The first bytes; of a large file four are looked at before it is read. */
  if (got > 4 && is_watched(fd) && lseek(fd, 0, SEEK_CUR) == got) change();
  return got;
}

ssize_t pread64(int fd, void *buffer, size_t size, off_t at) {
  static ssize_t (*real)(int, void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pread64");
  if (is_watched(fd)) {
    int beyond = at >= 512 * 1024;
    if (atomic_exchange(&is_beyond, beyond) == 0 && beyond) change();
  }
  return real(fd, buffer, size, at);
}
