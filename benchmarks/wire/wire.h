/* What the upstream and the load generator agree on: the clock, and the stamp that each piece carries. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <time.h>

/* A stamp is "@", 13 digits of the monotonic clock in ns, 5 digits of the piece's number, "@": 20 characters that no
 * syntax reads as anything. Its time tells how long the piece was on its way, its number whether one went missing. */
#define STAMP_FORMAT "@%013llu%05llu@"
#define STAMP_LENGTH 20
#define STAMP_DIGITS 18
#define STAMP_CLOCK 10000000000000ull
#define STAMP_NUMBERS 100000ull

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

#endif
