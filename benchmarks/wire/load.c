/* A load generator for streamed and buffered chat completions: one thread, epoll, nothing but the C library.
 *
 *     load --port N --play SCRIPT [--connections N] [--buffered] [--ramp S] [--warm S] [--seconds S]
 *          [--alive S] [--pids PID,PID...]
 *
 * Each connection asks again when it is answered, until the window of --seconds after --ramp and --warm is over.
 * Prints one JSON object. CPU time and memory are those of the processes in --pids together, in the window.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define SECOND 1000000000ull
#define MOST_PIDS 256

/* -- samples ------------------------------------------------------------------------------------------------------ */

struct samples {
    uint32_t *values; /* in tenths of a microsecond */
    size_t count, room;
};

static void sample(struct samples *s, uint64_t ns)
{
    if (s->count == s->room)
        s->values = realloc(s->values, (s->room = s->room * 2 + 4096) * sizeof *s->values);
    s->values[s->count++] = ns / 100 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 100);
}

static int smaller(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of sorted samples, in microseconds; -1 if there are none. */
static double quantile(const struct samples *s, double q)
{
    return s->count ? s->values[(size_t)(q * (double)(s->count - 1))] / 10.0 : -1;
}

static void print_samples(const char *name, struct samples *s)
{
    qsort(s->values, s->count, sizeof *s->values, smaller);
    printf("\"%s_p50_us\": %.1f, \"%s_p99_us\": %.1f, ", name, quantile(s, 0.5), name, quantile(s, 0.99));
}

/* -- the processes that are watched -------------------------------------------------------------------------------- */

static pid_t pids[MOST_PIDS];
static int pid_count;

/* User and system time, in ns: finer than the ticks of /proc/PID/stat. */
static uint64_t cpu_time(void)
{
    uint64_t all = 0;
    for (int i = 0; i < pid_count; i++) {
        clockid_t clock;
        struct timespec spent;
        if (!clock_getcpuclockid(pids[i], &clock) && !clock_gettime(clock, &spent))
            all += (uint64_t)spent.tv_sec * SECOND + (uint64_t)spent.tv_nsec;
    }
    return all;
}

/* Memory in kB, pages that are shared counted as their share. */
static long proportional_memory(void)
{
    long all = 0, kb;
    for (int i = 0; i < pid_count; i++) {
        char path[64], line[256];
        sprintf(path, "/proc/%d/smaps_rollup", pids[i]);
        FILE *file = fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "Pss: %ld", &kb) == 1)
                all += kb;
        if (file)
            fclose(file);
    }
    return all;
}

/* -- a connection and its answers ----------------------------------------------------------------------------------- */

enum state { CLOSED, CONNECTING, HEAD, SIZE, DATA, DATA_END, TRAILER, LENGTH, UNTIL_CLOSE, IDLE };

struct connection {
    int fd;
    enum state state;
    uint64_t opens, asked, last_chunk;
    char head[4096];
    size_t head_length, left, line;
    int status, keeps;
    int digits; /* of a stamp that have been read; -1 outside */
    uint64_t stamp;
    int new_event; /* since the last stamp */
    long stamps;   /* of this answer */
};

static struct {
    const char *play;
    int port, connections, buffered;
    double ramp, warm, seconds, alive;
} options = {"", 0, 1, 0, 0, 0.5, 2, 1};

static int poller, expected;
static char request[4096];
static size_t request_length;
static uint64_t window_start, window_end;
static struct connection *all;
static struct samples latencies, first_tokens, delays;
static uint64_t answers, chunks, events, lost, failed, cut_short, refused;

static int in_window(uint64_t now)
{
    return now >= window_start && now < window_end;
}

static void on_stamp(struct connection *c, uint64_t now)
{
    uint64_t sent = c->stamp / STAMP_NUMBERS, number = c->stamp % STAMP_NUMBERS;
    if (!c->stamps && in_window(now))
        sample(&first_tokens, now - c->asked);
    if (number != (uint64_t)c->stamps)
        lost += (number + STAMP_NUMBERS - (uint64_t)c->stamps) % STAMP_NUMBERS;
    c->stamps = (long)number + 1;
    c->last_chunk = now;
    if (in_window(now)) {
        chunks++;
        events += (uint64_t)c->new_event;
        sample(&delays, (now % STAMP_CLOCK + STAMP_CLOCK - sent) % STAMP_CLOCK);
    }
    c->new_event = 0;
}

/* Looks for stamps, which may lie across any two reads. */
static void read_body(struct connection *c, const char *p, size_t n, uint64_t now)
{
    const char *end = p + n;
    while (p < end) {
        if (c->digits < 0) {
            const char *at = memchr(p, '@', (size_t)(end - p));
            c->new_event |= memchr(p, '\n', (size_t)((at ? at : end) - p)) != NULL;
            if (!at)
                return;
            p = at + 1;
            c->digits = 0;
            c->stamp = 0;
        } else if (isdigit((unsigned char)*p) && c->digits < STAMP_DIGITS) {
            c->stamp = c->stamp * 10 + (uint64_t)(*p++ - '0');
            c->digits++;
        } else {
            if (*p == '@' && c->digits == STAMP_DIGITS) {
                on_stamp(c, now);
                p++;
            }
            c->digits = -1;
        }
    }
}

static void ask(struct connection *c)
{
    c->state = HEAD;
    c->head_length = 0;
    c->digits = -1;
    c->stamps = 0;
    c->new_event = 1;
    c->asked = now_ns();
    if (write(c->fd, request, request_length) != (ssize_t)request_length)
        failed++;
}

static void hang_up(struct connection *c, uint64_t reopen)
{
    close(c->fd);
    c->state = CLOSED;
    c->opens = reopen;
}

static void on_answered(struct connection *c, uint64_t now)
{
    int whole = c->status == 200 && (options.buffered || c->stamps == expected);
    refused += c->status != 200;
    cut_short += c->status == 200 && !whole;
    if (whole && in_window(now)) {
        answers++;
        sample(&latencies, now - c->asked);
    }
    if (c->keeps && c->state != UNTIL_CLOSE) {
        c->state = IDLE;
        ask(c);
    } else
        hang_up(c, whole ? now : now + SECOND / 50);
}

static const char *header(const struct connection *c, const char *name)
{
    const char *found = strcasestr(c->head, name);
    return found ? found + strlen(name) : NULL;
}

/* Takes bytes up to the end of the head and says how many. */
static size_t read_head(struct connection *c, const char *p, size_t n, uint64_t now)
{
    size_t before = c->head_length, taken = sizeof c->head - 1 - before;
    taken = n < taken ? n : taken;
    memcpy(c->head + before, p, taken);
    c->head[c->head_length += taken] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return taken;
    end[2] = 0;
    const char *length = header(c, "\r\ncontent-length:");
    c->status = atoi(c->head + 9);
    c->keeps = !header(c, "\r\nconnection: close");
    c->state = header(c, "\r\ntransfer-encoding: chunked") ? SIZE : length ? LENGTH : UNTIL_CLOSE;
    c->left = length ? strtoul(length, NULL, 10) : 0;
    c->line = 0;
    if (c->state == LENGTH && !c->left)
        on_answered(c, now);
    return (size_t)(end + 4 - c->head) - before;
}

static void read_size(struct connection *c, char byte)
{
    if (byte == '\n') {
        c->state = c->left ? DATA : TRAILER;
        c->line = 0;
    } else if (isxdigit((unsigned char)byte))
        c->left = c->left * 16 + (size_t)(isdigit((unsigned char)byte) ? byte - '0' : (byte | 32) - 'a' + 10);
}

static void read_trailer(struct connection *c, char byte, uint64_t now)
{
    if (byte == '\n' && !c->line)
        on_answered(c, now);
    c->line = byte == '\n' ? 0 : c->line + (byte != '\r');
}

static void read_answer(struct connection *c, const char *p, size_t n, uint64_t now)
{
    while (n && c->state >= HEAD && c->state < IDLE) {
        size_t taken = 1;
        if (c->state == HEAD)
            taken = read_head(c, p, n, now);
        else if (c->state == SIZE)
            read_size(c, *p);
        else if (c->state == DATA_END)
            c->state = *p == '\n' ? SIZE : DATA_END;
        else if (c->state == TRAILER)
            read_trailer(c, *p, now);
        else {
            taken = c->state == UNTIL_CLOSE || n < c->left ? n : c->left;
            read_body(c, p, taken, now);
            if (c->state != UNTIL_CLOSE && !(c->left -= taken)) {
                if (c->state == LENGTH)
                    on_answered(c, now);
                else
                    c->state = DATA_END;
            }
        }
        p += taken;
        n -= taken;
    }
}

/* -- the network ---------------------------------------------------------------------------------------------------- */

static void dial(struct connection *c)
{
    int yes = 1;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(c->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS) {
        failed++;
        hang_up(c, now_ns() + SECOND / 20);
        return;
    }
    c->state = CONNECTING;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void on_event(struct connection *c, uint32_t what)
{
    static char buffer[262144];
    if (c->state == CONNECTING && (what & EPOLLOUT) && !(what & (EPOLLERR | EPOLLHUP))) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
        ask(c);
        return;
    }
    ssize_t n = read(c->fd, buffer, sizeof buffer);
    uint64_t now = now_ns();
    if (n > 0)
        read_answer(c, buffer, (size_t)n, now);
    else if (c->state == UNTIL_CLOSE && n == 0)
        on_answered(c, now);
    else if (n == 0 || errno != EAGAIN) {
        /* a connection that ends before its answer begins may have been closed while our request was on its way */
        *(c->state == HEAD || c->state == CONNECTING ? &failed : &cut_short) += 1;
        hang_up(c, now + SECOND / 50);
    }
}

static void run(void)
{
    struct epoll_event ready[256];
    uint64_t looked = 0, now, spent = 0, own = 0;
    int measuring = 0;
    while ((now = now_ns()) < window_end) {
        if (!measuring && now >= window_start) {
            measuring = 1;
            spent = cpu_time();
            own = (uint64_t)clock();
        }
        int n = epoll_wait(poller, ready, 256, 1);
        for (int i = 0; i < n; i++)
            on_event(ready[i].data.ptr, ready[i].events);
        if (now - looked < SECOND / 1000 && n)
            continue;
        looked = now;
        for (int i = 0; i < options.connections; i++)
            if (all[i].state == CLOSED && all[i].opens <= now)
                dial(&all[i]);
    }
    printf("\"cpu_s\": %.6f, \"generator_cpu_s\": %.3f, ", (double)(cpu_time() - spent) / SECOND,
           (double)((uint64_t)clock() - own) / CLOCKS_PER_SEC);
}

static int alive(void)
{
    int count = 0;
    for (int i = 0; i < options.connections; i++)
        count += all[i].last_chunk + (uint64_t)(options.alive * SECOND) >= window_end;
    return count;
}

static void write_request(void)
{
    static const char tools[] =
        "[{\"type\":\"function\",\"function\":{\"name\":\"write_file\",\"description\":\"Write a file\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
        "\"text\":{\"type\":\"string\"}},\"required\":[\"path\",\"text\"]}}}]";
    const char *model = strstr(options.play, "kind=hermes") ? "hermes-3-llama-3.1-8b" : "glm-4.5-air";
    char body[2048];
    int n = sprintf(body,
                    "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"system\",\"content\":\"You are a "
                    "helper. Use the tools if they are of use.\"},{\"role\":\"user\",\"content\":\"play %s\"}],"
                    "\"tools\":%s}",
                    model, options.buffered ? "false" : "true", options.play, tools);
    request_length = (size_t)sprintf(request,
                                     "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                                     "Authorization: Bearer sk-scripted\r\nAccept: */*\r\n"
                                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                                     options.port, n, body);
}

static void read_options(char **arguments)
{
    while (*++arguments) {
        const char *name = *arguments;
        if (!strcmp(name, "--buffered")) {
            options.buffered = 1;
            continue;
        }
        char *value = *++arguments;
        if (!value)
            exit(fprintf(stderr, "load: %s takes a value\n", name) > 0 ? 2 : 2);
        if (!strcmp(name, "--port"))
            options.port = atoi(value);
        else if (!strcmp(name, "--play"))
            options.play = value;
        else if (!strcmp(name, "--connections"))
            options.connections = atoi(value);
        else if (!strcmp(name, "--ramp"))
            options.ramp = atof(value);
        else if (!strcmp(name, "--warm"))
            options.warm = atof(value);
        else if (!strcmp(name, "--seconds"))
            options.seconds = atof(value);
        else if (!strcmp(name, "--alive"))
            options.alive = atof(value);
        else if (!strcmp(name, "--pids"))
            for (char *pid = strtok(value, ","); pid && pid_count < MOST_PIDS; pid = strtok(NULL, ","))
                pids[pid_count++] = atoi(pid);
        else
            exit(fprintf(stderr, "load: what is %s?\n", name) > 0 ? 2 : 2);
    }
}

int main(int count, char **arguments)
{
    (void)count;
    signal(SIGPIPE, SIG_IGN);
    read_options(arguments);
    write_request();
    const char *pieces = strstr(options.play, "pieces=");
    expected = pieces ? atoi(pieces + 7) : 50;
    poller = epoll_create1(0);
    all = calloc((size_t)options.connections, sizeof *all);
    uint64_t start = now_ns();
    for (int i = 0; i < options.connections; i++)
        all[i].opens = start + (uint64_t)(options.ramp * SECOND * i / options.connections);
    window_start = start + (uint64_t)((options.ramp + options.warm) * SECOND);
    window_end = window_start + (uint64_t)(options.seconds * SECOND);
    printf("{\"seconds\": %.3f, \"connections\": %d, ", options.seconds, options.connections);
    run();
    print_samples("latency", &latencies);
    print_samples("first_token", &first_tokens);
    print_samples("delay", &delays);
    printf("\"answers\": %llu, \"chunks\": %llu, \"events\": %llu, \"alive\": %d, \"lost\": %llu, \"failed\": %llu, "
           "\"cut_short\": %llu, \"refused\": %llu, \"pss_kb\": %ld}\n",
           (unsigned long long)answers, (unsigned long long)chunks, (unsigned long long)events, alive(),
           (unsigned long long)lost, (unsigned long long)failed, (unsigned long long)cut_short,
           (unsigned long long)refused, proportional_memory());
    return 0;
}
