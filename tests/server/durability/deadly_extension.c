/* Functions that end the process, as a broken one would; for the tests. */
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "engine/extension/pollux_extension.h"

enum { kDeadly = 666, kDeadlyTogether = 667, kPatienceMs = 300 };

static atomic_int at_work;

static int32_t argument(const pollux_call* call) { return call->arguments[0].value.int_value; }

static void give(const pollux_call* call, int32_t value) {
  call->result->is_null = 0;
  call->result->value.int_value = value;
}

/* Both functions are at work at once, or it has taken too long. */
static int have_met(void) {
  struct timespec pause = {0, 1000000};
  atomic_fetch_add(&at_work, 1);
  for (int waited = 0; waited < kPatienceMs && atomic_load(&at_work) < 2; ++waited) {
    nanosleep(&pause, NULL);
  }
  int met = atomic_load(&at_work) >= 2;
  if (!met) atomic_fetch_sub(&at_work, 1);
  return met;
}

/* The value, or the end: at once, or once with() is at work as well. */
static void die(const pollux_call* call) {
  if (argument(call) == kDeadlyTogether) have_met();
  if (argument(call) >= kDeadly) raise(SIGKILL);
  give(call, argument(call));
}

/* The value; does no harm, but may be at work when die() does. */
static void with(const pollux_call* call) {
  while (argument(call) == kDeadlyTogether && have_met()) {
  }
  give(call, argument(call));
}

static const pollux_function functions[] = {
    {"deadly", "die", "(<int> value) <int>", "Ends the process.", 0, die},
    {"deadly", "with", "(<int> value) <int>", "Is there when it ends.", 0, with},
};

static const pollux_extension extension = {POLLUX_EXTENSION_VERSION,
                                           sizeof(functions) / sizeof(functions[0]), functions};

const pollux_extension* pollux_extension_v1(void);
const pollux_extension* pollux_extension_v1(void) { return &extension; }
