// A library to load before the program: it counts the calls that change files below $FAULT_ROOT, and at number
// $FAULT_AT does what $FAULT_MODE says. What it counts is written to $FAULT_LOG, a line for each call.
//
//   kill      the process is killed before the call
//   tear      half of a write is made and the process is killed; other calls as kill
//   EIO       this call fails
//   ENOSPC    this call fails
//   full      this call and all later ones that need space fail with ENOSPC
//   short     a write writes half and says so; other calls are made as they are
//
// Calls that a program makes without the C library are not seen; failing_calls.py counts them with strace.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long count;

enum verdict { GO, FAIL, SHORT, TEAR };

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_below(const char *path) {
    const char *root = getenv("FAULT_ROOT");
    size_t length = root ? strlen(root) : 0;
    return length && path && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

// The path that a file was opened by or has now.
static const char *path_of(int fd) {
    static __thread char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    return path;
}

// A path as it is from the root.
static const char *absolute(int folder, const char *path) {
    static __thread char whole[2 * PATH_MAX];
    if (path[0] == '/') return path;
    char cwd[PATH_MAX];
    const char *base = folder == AT_FDCWD ? getcwd(cwd, sizeof cwd) : path_of(folder);
    snprintf(whole, sizeof whole, "%s/%s", base ? base : "", path);
    return whole;
}

static enum verdict judge(const char *call, const char *path, int needs_space) {
    if (!is_below(path)) return GO;
    int before = errno;
    long number = atomic_fetch_add(&count, 1) + 1;
    const char *log = getenv("FAULT_LOG"), *mode = getenv("FAULT_MODE"), *at = getenv("FAULT_AT");
    if (log) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call, path);
        int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd >= 0) {
            syscall(SYS_write, fd, line, length);
            syscall(SYS_close, fd);
        }
    }
    errno = before;
    long target = at ? atol(at) : 0;
    if (!target || !mode || number < target) return GO;
    if (!strcmp(mode, "full")) {
        errno = needs_space ? ENOSPC : before;
        return needs_space ? FAIL : GO;
    }
    if (number != target) return GO;
    if (!strcmp(mode, "kill")) die();
    if (!strcmp(mode, "tear")) {
        if (strcmp(call, "write")) die();
        return TEAR;
    }
    if (!strcmp(mode, "short")) return SHORT;
    errno = !strcmp(mode, "EIO") ? EIO : ENOSPC;
    return FAIL;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t half(ssize_t (*real)(int, const void *, size_t), int fd, const void *data, size_t size, enum verdict is) {
    ssize_t written = real(fd, data, size > 1 ? size / 2 : size);
    if (is == TEAR) die();
    return written;
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    enum verdict is = fd > 2 ? judge("write", path_of(fd), 1) : GO;
    if (is == FAIL) return -1;
    return is == GO ? real(fd, data, size) : half(real, fd, data, size, is);
}

ssize_t writev(int fd, const struct iovec *parts, int number) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    enum verdict is = fd > 2 ? judge("write", path_of(fd), 1) : GO;
    if (is == FAIL) return -1;
    ssize_t written = real(fd, parts, is == GO || number < 2 ? number : number / 2);
    if (is == TEAR) die();
    return written;
}

static ssize_t at_offset(const char *name, int fd, const void *data, size_t size, off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off64_t);
    real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, name);
    enum verdict is = judge("write", path_of(fd), 1);
    if (is == FAIL) return -1;
    ssize_t written = real(fd, data, is == GO || size < 2 ? size : size / 2, offset);
    if (is == TEAR) die();
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    return at_offset("pwrite", fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return at_offset("pwrite64", fd, data, size, offset);
}

static int opened(const char *name, int folder, const char *path, int flags, mode_t mode) {
    int (*real)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, name);
    int changes = (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY;
    if (changes && judge("open", absolute(folder, path), (flags & O_CREAT) != 0) == FAIL) return -1;
    return real(folder, path, flags, mode);
}

#define MODE_OF(flags) \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

int open(const char *path, int flags, ...) {
    MODE_OF(flags);
    return opened("openat", AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags);
    return opened("openat64", AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_OF(flags);
    return opened("openat", folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_OF(flags);
    return opened("openat64", folder, path, flags, mode);
}

// A call of the C library that fails as a whole or not at all.
#define WHOLE(name, parameters, types, arguments, path, needs_space) \
    int name parameters { \
        static int (*real) types; \
        if (!real) real = (int(*) types)dlsym(RTLD_NEXT, #name); \
        return judge(#name, path, needs_space) == FAIL ? -1 : real arguments; \
    }

WHOLE(fsync, (int fd), (int), (fd), path_of(fd), 1)
WHOLE(fdatasync, (int fd), (int), (fd), path_of(fd), 1)
WHOLE(syncfs, (int fd), (int), (fd), path_of(fd), 1)
WHOLE(ftruncate, (int fd, off_t size), (int, off_t), (fd, size), path_of(fd), 1)
WHOLE(ftruncate64, (int fd, off64_t size), (int, off64_t), (fd, size), path_of(fd), 1)
WHOLE(rename, (const char *from, const char *to), (const char *, const char *), (from, to), absolute(AT_FDCWD, to), 1)
WHOLE(link, (const char *from, const char *to), (const char *, const char *), (from, to), absolute(AT_FDCWD, to), 1)
WHOLE(linkat, (int a, const char *from, int b, const char *to, int flags), (int, const char *, int, const char *, int),
      (a, from, b, to, flags), absolute(b, to), 1)
WHOLE(unlink, (const char *path), (const char *), (path), absolute(AT_FDCWD, path), 0)
WHOLE(unlinkat, (int folder, const char *path, int flags), (int, const char *, int), (folder, path, flags),
      absolute(folder, path), 0)
WHOLE(rmdir, (const char *path), (const char *), (path), absolute(AT_FDCWD, path), 0)
WHOLE(mkdir, (const char *path, mode_t mode), (const char *, mode_t), (path, mode), absolute(AT_FDCWD, path), 1)
