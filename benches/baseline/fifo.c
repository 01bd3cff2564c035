/* The story of benches/cases.rs as a careful systems programmer would write it by
 * hand: nine steps over a fresh FIFO, the first one proved to be blocked, EPIPE and
 * the payload checked. Two actors take one-byte orders over a socket each, in
 * lock-step; everything is pinned to one CPU.
 *
 *     fifo DIR CPU CASES MODE
 *
 * CPU -1: not pinned. MODE: "reuse" (actors serve all cases), "fork" (fresh actors
 * for each case), or "unproved" (reuse, and nobody looks whether the open blocks).
 * Prints the nanoseconds that a case took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <linux/sockios.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 4097 };
enum order { OPEN_READ = 'r', OPEN_WRITE = 'w', CLOSE = 'c', WRITE = 'W', READ = 'R' };

static char path[512];
static char payload[2 * SIZE];

struct reply {
    int32_t result; /* what the call returned */
    int32_t error;  /* errno */
};

struct actor {
    pid_t pid;
    int control;
    int schedstat, syscall, stat; /* of /proc/PID, or -1 */
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The actor: one order, one reply. What it reads follows the reply. */
static void act(int control) {
    static char buffer[65536];
    int fd = -1;
    size_t written = 0;
    char order;
    while (recv(control, &order, 1, 0) == 1) {
        struct reply reply = {0, 0};
        size_t have = 0;
        errno = 0;
        switch (order) {
        case OPEN_READ: reply.result = fd = open(path, O_RDONLY | O_CLOEXEC); break;
        case OPEN_WRITE: reply.result = fd = open(path, O_WRONLY | O_CLOEXEC); break;
        case CLOSE: reply.result = close(fd); break;
        case WRITE:
            /* The bytes come with the order, as position-coded data must. */
            for (have = 0; have < SIZE;) {
                ssize_t more = recv(control, buffer + have, SIZE - have, 0);
                if (more <= 0) _exit(1);
                have += more;
            }
            have = 0;
            errno = 0;
            reply.result = write(fd, buffer, SIZE);
            written += SIZE;
            break;
        case READ:
            for (;;) {
                ssize_t more = read(fd, buffer + have, sizeof buffer - have);
                if (more <= 0) break;
                have += more;
            }
            reply.result = have;
            break;
        }
        reply.error = errno;
        char out[sizeof reply + sizeof buffer];
        memcpy(out, &reply, sizeof reply);
        memcpy(out + sizeof reply, buffer, have);
        if (send(control, out, sizeof reply + have, MSG_NOSIGNAL) < 0) break;
    }
    _exit(0);
}

static struct actor start(void) {
    struct actor actor = {.schedstat = -1};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) fail("socketpair");
    actor.control = ends[0];
    actor.pid = fork();
    if (actor.pid < 0) fail("fork");
    if (actor.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        close(ends[0]);
        act(ends[1]);
    }
    close(ends[1]);
    return actor;
}

/* The one started last holds a copy of the other's socket, and has to go first. */
static void end(struct actor *actor) {
    close(actor->control);
    if (actor->schedstat >= 0) {
        close(actor->schedstat);
        close(actor->syscall);
        close(actor->stat);
    }
    while (waitpid(actor->pid, NULL, 0) < 0 && errno == EINTR) {}
}

static int open_proc(const struct actor *actor, const char *name) {
    char file[64];
    snprintf(file, sizeof file, "/proc/%d/%s", actor->pid, name);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(file);
    return fd;
}

struct look {
    char runs[64], call[256], state;
};

static void look(struct actor *actor, struct look *look) {
    char stat[1024];
    ssize_t length = pread(actor->schedstat, look->runs, sizeof look->runs - 1, 0);
    look->runs[length > 0 ? length : 0] = 0;
    length = pread(actor->syscall, look->call, sizeof look->call - 1, 0);
    look->call[length > 0 ? length : 0] = 0;
    length = pread(actor->stat, stat, sizeof stat - 1, 0);
    stat[length > 0 ? length : 0] = 0;
    char *name = strrchr(stat, ')');
    look->state = name ? name[2] : '?';
}

/* Asleep in both looks, never on a CPU in between, in the same call, its order taken
 * and no reply unread. */
static int is_blocked(struct actor *actor) {
    struct look first, second;
    int untaken = 0;
    char byte;
    if (actor->schedstat < 0) {
        actor->schedstat = open_proc(actor, "schedstat");
        actor->syscall = open_proc(actor, "syscall");
        actor->stat = open_proc(actor, "stat");
    }
    look(actor, &first);
    if (first.state != 'S' || !strncmp(first.call, "running", 7)) return 0;
    look(actor, &second);
    if (second.state != 'S' || strcmp(first.runs, second.runs) || strcmp(first.call, second.call)) return 0;
    if (recv(actor->control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) return 0;
    return ioctl(actor->control, SIOCOUTQ, &untaken) == 0 && untaken == 0;
}

static void give(struct actor *actor, char order, const char *data) {
    char out[1 + SIZE] = {order};
    size_t length = 1;
    if (data) {
        memcpy(out + 1, data, SIZE);
        length += SIZE;
    }
    if (send(actor->control, out, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

static struct reply hear(struct actor *actor, char *data) {
    char in[sizeof(struct reply) + 65536];
    struct reply reply;
    size_t have = 0, wanted = sizeof reply;
    while (have < wanted) {
        ssize_t more = recv(actor->control, in + have, sizeof in - have, 0);
        if (more <= 0) fail("recv");
        have += more;
        if (data && have >= sizeof reply) {
            memcpy(&reply, in, sizeof reply);
            wanted = sizeof reply + reply.result;
        }
    }
    memcpy(&reply, in, sizeof reply);
    if (data) memcpy(data, in + sizeof reply, reply.result);
    return reply;
}

static struct reply step(struct actor *actor, char order, const char *data) {
    give(actor, order, data);
    return hear(actor, NULL);
}

static void expect(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

static void play(struct actor *reader, struct actor *writer, int prove) {
    static char seen[65536];
    if (mkfifo(path, 0600)) fail("mkfifo");
    give(reader, OPEN_READ, NULL);
    if (prove)
        while (!is_blocked(reader)) sched_yield();
    expect(step(writer, OPEN_WRITE, NULL).result >= 0, "the writer opens");
    expect(hear(reader, NULL).result >= 0, "which lets the reader open");
    expect(step(reader, CLOSE, NULL).result == 0, "the reader closes");
    struct reply reply = step(writer, WRITE, payload);
    expect(reply.result < 0 && reply.error == EPIPE, "EPIPE");
    expect(step(reader, OPEN_READ, NULL).result >= 0, "the reader opens again");
    expect(step(writer, WRITE, payload + SIZE).result == SIZE, "the writer writes");
    expect(step(writer, CLOSE, NULL).result == 0, "the writer closes");
    give(reader, READ, NULL);
    reply = hear(reader, seen);
    expect(reply.result == SIZE && !memcmp(seen, payload + SIZE, SIZE), "all bytes arrive");
    expect(step(reader, CLOSE, NULL).result == 0, "the reader closes");
    if (unlink(path)) fail("unlink");
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: fifo DIR CPU CASES reuse|fork|unproved\n");
        return 2;
    }
    int cpu = atoi(argv[2]), cases = atoi(argv[3]);
    int forks = !strcmp(argv[4], "fork"), prove = strcmp(argv[4], "unproved");
    snprintf(path, sizeof path, "%s/fifo-%d", argv[1], getpid());
    for (size_t at = 0; at < sizeof payload; at++) payload[at] = '!' + (at * 7 + at / 89) % 89;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set)) fail("sched_setaffinity");
    }
    struct actor reader, writer;
    if (!forks) {
        reader = start();
        writer = start();
        play(&reader, &writer, prove);
    }
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int at = 0; at < cases; at++) {
        if (forks) {
            reader = start();
            writer = start();
        }
        play(&reader, &writer, prove);
        if (forks) {
            end(&writer);
            end(&reader);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
    printf("%.0f\n", ns / cases);
    return 0;
}
