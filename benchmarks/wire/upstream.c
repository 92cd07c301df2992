/* A scripted OpenAI-compatible backend: one thread, epoll, nothing but the C library.
 *
 *     upstream PORT
 *
 * What it answers stands in the request itself, after the word "play" and up to the next quotation mark:
 *     kind=text|glm|hermes   what is said: prose, or one call whose long argument is the pieces
 *     pieces=N size=N        how many pieces, and of how many characters besides the stamp (wire.h)
 *     every=MS               a piece each so many milliseconds; 0 is flat out
 *     group=N                pieces in one write, if flat out
 *     close=1                no chunked coding: the body ends with the connection
 * "stream":true makes it events, each a write of its own; else it is one JSON document.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
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

#define SLOTS 8192         /* of the timer wheel, one a millisecond */
#define LARGEST_PIECE 1024 /* characters */
#define LARGEST_EVENT 8192
#define MOST_IN_A_WRITE 16
#define WRITES_IN_A_TURN 32
#define FILL "so the grey cat walks along the wall and looks at what the two dogs do below it in the yard; then it "

struct kind {
    const char *name, *opening, *closing;
};

static const struct kind KINDS[] = {
    {"text", "", ""},
    {"glm",
     "<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>notes.txt</arg_value>\n"
     "<arg_key>text</arg_key>\n<arg_value>",
     "</arg_value>\n</tool_call>"},
    {"hermes", "<tool_call>\n{\"name\": \"write_file\", \"arguments\": {\"path\": \"notes.txt\", \"text\": \"",
     "\"}}\n</tool_call>"},
};

enum phase { ROLE, OPENING, PIECES, CLOSING, FINISH, DONE, OVER };

struct script {
    const struct kind *kind;
    long pieces, size, every, group, close;
};

struct connection {
    int fd, waits_for_room, dead, ends;
    char *in, *out;
    size_t in_length, in_room, out_start, out_length, out_room;
    struct script script;
    enum phase phase;
    long sent;  /* pieces */
    size_t cut; /* characters of the opening or closing that are out */
    unsigned answer;
    uint64_t due;
    struct connection *next, **link; /* in its slot of the wheel */
};

static int poller;
static struct connection *wheel[SLOTS];
static uint64_t wheel_time; /* ms */
static unsigned answers;
static char filling[sizeof FILL + LARGEST_PIECE];

static void turn(struct connection *c);

/* -- the timer wheel ---------------------------------------------------------------------------------------------- */

static void wake_at(struct connection *c, uint64_t ms)
{
    c->due = ms;
    struct connection **slot = &wheel[(ms > wheel_time ? ms : wheel_time + 1) % SLOTS];
    c->next = *slot;
    c->link = slot;
    if (c->next)
        c->next->link = &c->next;
    *slot = c;
}

static void unlink_timer(struct connection *c)
{
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->link = NULL;
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

static void watch(struct connection *c, int for_room)
{
    if (c->waits_for_room == for_room)
        return;
    c->waits_for_room = for_room;
    struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

/* Out at once, what does not fit when there is room: the model does not wait for its reader. */
static void put(struct connection *c, const char *bytes, size_t n)
{
    if (c->out_start == c->out_length) {
        c->out_start = c->out_length = 0;
        ssize_t gone = write(c->fd, bytes, n);
        if (gone < 0 && errno != EAGAIN)
            c->dead = 1;
        if (c->dead || gone == (ssize_t)n)
            return;
        bytes += gone > 0 ? gone : 0;
        n -= gone > 0 ? (size_t)gone : 0;
    }
    if (c->out_length + n > c->out_room)
        c->out = realloc(c->out, c->out_room = (c->out_length + n) * 2);
    memcpy(c->out + c->out_length, bytes, n);
    c->out_length += n;
    watch(c, 1);
}

static void write_rest(struct connection *c)
{
    ssize_t gone = write(c->fd, c->out + c->out_start, c->out_length - c->out_start);
    if (gone > 0)
        c->out_start += (size_t)gone;
    else if (gone < 0 && errno != EAGAIN)
        c->dead = 1;
}

/* -- what is said ------------------------------------------------------------------------------------------------- */

static size_t framed(struct connection *c, char *to, const char *event, size_t n)
{
    size_t head = c->script.close ? 0 : (size_t)sprintf(to, "%zx\r\n", n);
    memcpy(to + head, event, n);
    if (c->script.close)
        return n;
    memcpy(to + head + n, "\r\n", 2);
    return head + n + 2;
}

static size_t chunk(struct connection *c, char *to, const char *delta, const char *reason)
{
    char event[LARGEST_EVENT / 2];
    int n = sprintf(event,
                    "data: {\"id\":\"chatcmpl-%08u\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
                    "\"model\":\"scripted\",\"system_fingerprint\":\"fp_scripted\",\"choices\":[{\"index\":0,"
                    "\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]}\n\n",
                    c->answer, delta, reason);
    return framed(c, to, event, (size_t)n);
}

static size_t escaped(char *to, const char *text, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"' || text[i] == '\n')
            to[m++] = '\\';
        to[m++] = text[i] == '\n' ? 'n' : text[i];
    }
    to[m] = 0;
    return m;
}

static size_t content(struct connection *c, char *to, const char *text, size_t n)
{
    char delta[2 * LARGEST_PIECE + 64] = "{\"content\":\"";
    size_t m = strlen(delta);
    m += escaped(delta + m, text, n);
    strcpy(delta + m, "\"}");
    return chunk(c, to, delta, "null");
}

static size_t stamped_piece(struct connection *c, char *to)
{
    char piece[LARGEST_PIECE + STAMP_LENGTH + 1];
    size_t size = (size_t)c->script.size;
    sprintf(piece, STAMP_FORMAT, (unsigned long long)(now_ns() % STAMP_CLOCK),
            (unsigned long long)c->sent % STAMP_NUMBERS);
    memcpy(piece + STAMP_LENGTH, filling + (size_t)c->sent * size % (sizeof FILL - 1), size);
    c->sent++;
    return content(c, to, piece, STAMP_LENGTH + size);
}

/* The next piece of what surrounds the argument; 0 when all of it is out. */
static size_t frame_piece(struct connection *c, char *to, const char *text)
{
    size_t left = strlen(text + c->cut), n = left < (size_t)c->script.size ? left : (size_t)c->script.size;
    c->cut += n;
    return n ? content(c, to, text + c->cut - n, n) : 0;
}

static size_t last_event(struct connection *c, char *to)
{
    size_t n = framed(c, to, "data: [DONE]\n\n", 14);
    return c->script.close ? n : n + (size_t)sprintf(to + n, "0\r\n\r\n");
}

static size_t next_event(struct connection *c, char *to)
{
    size_t n = 0;
    while (!n && c->phase != OVER)
        switch (c->phase) {
        case ROLE:
            n = chunk(c, to, "{\"role\":\"assistant\",\"content\":\"\"}", "null");
            c->phase = OPENING;
            c->cut = 0;
            break;
        case OPENING:
            if (!(n = frame_piece(c, to, c->script.kind->opening)))
                c->phase = PIECES;
            break;
        case PIECES:
            if (c->sent < c->script.pieces)
                n = stamped_piece(c, to);
            else
                c->phase = CLOSING, c->cut = 0;
            break;
        case CLOSING:
            if (!(n = frame_piece(c, to, c->script.kind->closing)))
                c->phase = FINISH;
            break;
        case FINISH:
            n = chunk(c, to, "{}", "\"stop\"");
            c->phase = DONE;
            break;
        default:
            n = last_event(c, to);
            c->phase = OVER;
        }
    return n;
}

static void end_answer(struct connection *c)
{
    if (c->ends)
        shutdown(c->fd, SHUT_WR);
}

static void say_paced(struct connection *c)
{
    char event[LARGEST_EVENT];
    do
        put(c, event, next_event(c, event));
    while (c->phase == DONE);
    if (c->phase == OVER)
        end_answer(c);
    else
        wake_at(c, c->due + (uint64_t)c->script.every);
}

static void say_flat_out(struct connection *c)
{
    char events[MOST_IN_A_WRITE * LARGEST_EVENT];
    for (int writes = 0; writes < WRITES_IN_A_TURN && c->out_start == c->out_length && !c->dead; writes++) {
        size_t n = 0;
        for (long i = 0; i < c->script.group && c->phase != OVER; i++)
            n += next_event(c, events + n);
        put(c, events, n);
        if (c->phase == OVER) {
            watch(c, c->out_start != c->out_length);
            end_answer(c);
            return;
        }
    }
    watch(c, 1);
}

static void turn(struct connection *c)
{
    if (c->phase == OVER || c->dead)
        return;
    if (c->script.every)
        say_paced(c);
    else
        say_flat_out(c);
}

static void answer_document(struct connection *c, const char *json, size_t n)
{
    char *all = malloc(n + 128);
    size_t head = (size_t)sprintf(
        all, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
    memcpy(all + head, json, n);
    put(c, all, head + n);
    free(all);
    end_answer(c);
}

static void answer_buffered(struct connection *c)
{
    size_t text = (size_t)(c->script.pieces * c->script.size);
    char *json = malloc(text + 4096), *to = json;
    to += sprintf(to,
                  "{\"id\":\"chatcmpl-%08u\",\"object\":\"chat.completion\",\"created\":1767225600,\"model\":"
                  "\"scripted\",\"system_fingerprint\":\"fp_scripted\",\"choices\":[{\"index\":0,\"message\":"
                  "{\"role\":\"assistant\",\"content\":\"",
                  c->answer);
    to += escaped(to, c->script.kind->opening, strlen(c->script.kind->opening));
    for (size_t i = 0; i < text; i++)
        *to++ = filling[i % (sizeof FILL - 1)];
    to += escaped(to, c->script.kind->closing, strlen(c->script.kind->closing));
    to += sprintf(to, "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,"
                      "\"completion_tokens\":50,\"total_tokens\":150}}");
    answer_document(c, json, (size_t)(to - json));
    free(json);
}

static void start_stream(struct connection *c)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n";
    char all[256];
    put(c, all, (size_t)sprintf(all, "%s%s\r\n\r\n", head,
                                c->script.close ? "Connection: close" : "Transfer-Encoding: chunked"));
    c->phase = ROLE;
    c->sent = 0;
    c->ends |= c->script.close != 0;
    c->due = now_ns() / 1000000;
    turn(c);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static long setting(const char *play, const char *name, long otherwise)
{
    const char *found = strstr(play, name);
    return found ? atol(found + strlen(name)) : otherwise;
}

static struct script script_of(const char *body)
{
    char play[256] = "";
    const char *start = strstr(body, "play ");
    if (start)
        snprintf(play, sizeof play, "%.*s", (int)strcspn(start, "\""), start);
    struct script script = {.kind = KINDS,
                            .pieces = setting(play, "pieces=", 50),
                            .size = setting(play, "size=", 8),
                            .every = setting(play, "every=", 0),
                            .group = setting(play, "group=", 1),
                            .close = setting(play, "close=", 0)};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const char *kind = strstr(play, "kind=");
        if (kind && !strncmp(kind + 5, KINDS[i].name, strlen(KINDS[i].name)))
            script.kind = &KINDS[i];
    }
    script.size = script.size < 1 ? 1 : script.size > LARGEST_PIECE ? LARGEST_PIECE : script.size;
    script.group = script.group < 1 ? 1 : script.group > MOST_IN_A_WRITE ? MOST_IN_A_WRITE : script.group;
    return script;
}

static void answer(struct connection *c, const char *body)
{
    static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":\"scripted\",\"object\":\"model\"}]}";
    c->answer = ++answers;
    if (!strncmp(c->in, "GET ", 4)) {
        answer_document(c, models, sizeof models - 1);
        return;
    }
    c->script = script_of(body);
    if (strstr(body, "\"stream\":true") || strstr(body, "\"stream\": true"))
        start_stream(c);
    else
        answer_buffered(c);
}

/* Answers the request at the start of `in`, if all of it is there. One at a time: nobody pipelines to a model. */
static void read_request(struct connection *c)
{
    c->in[c->in_length] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return;
    *end = 0;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t whole = (size_t)(end - c->in) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
    c->ends = strcasestr(c->in, "\r\nconnection: close") || strstr(c->in, " HTTP/1.0");
    if (c->in_length >= whole) {
        c->in_length = 0;
        answer(c, end + 4);
    } else
        *end = '\r';
}

static void receive(struct connection *c)
{
    if (c->in_room - c->in_length < 8192)
        c->in = realloc(c->in, (c->in_room = c->in_room * 2 + 8192) + 1);
    ssize_t n = read(c->fd, c->in + c->in_length, c->in_room - c->in_length);
    if (n > 0) {
        c->in_length += (size_t)n;
        read_request(c);
    } else if (n == 0 || errno != EAGAIN)
        c->dead = 1;
}

static void on_event(struct connection *c, uint32_t what)
{
    if (what & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(c);
    if (c->dead || !(what & EPOLLOUT))
        return;
    if (c->out_start < c->out_length)
        write_rest(c);
    if (c->out_start < c->out_length)
        return;
    if (c->phase != OVER && !c->script.every)
        turn(c);
    else
        watch(c, 0);
}

static void bury(struct connection *c)
{
    unlink_timer(c);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void welcome(int listener)
{
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->phase = OVER;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void turn_wheel(void)
{
    for (uint64_t now = now_ns() / 1000000; wheel_time < now;) {
        struct connection *c, **slot = &wheel[++wheel_time % SLOTS];
        while ((c = *slot)) {
            unlink_timer(c);
            turn(c);
            if (c->dead)
                bury(c);
        }
    }
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) || listen(fd, 4096)) {
        perror("upstream");
        exit(1);
    }
    return fd;
}

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(count > 1 ? atoi(arguments[1]) : 0);
    for (size_t i = 0; i < sizeof filling; i++)
        filling[i] = FILL[i % (sizeof FILL - 1)];
    poller = epoll_create1(0);
    struct epoll_event events[256], event = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    wheel_time = now_ns() / 1000000;
    for (;;) {
        int n = epoll_wait(poller, events, 256, 1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                welcome(listener);
            else {
                on_event(c, events[i].events);
                if (c->dead)
                    bury(c);
            }
        }
        turn_wheel();
    }
}
