/* An extension as a user would write one; built as a shared library and loaded by the tests. */
#include <string.h>

#include "engine/extension/pollux_extension.h"

static void twice(const pollux_call* call) {
  call->result->is_null = 0;
  call->result->value.long_value = 2 * call->arguments[0].value.long_value;
}

/* The text with a star before and behind it. */
static void starred(const pollux_call* call) {
  pollux_text text = call->arguments[0].value.text;
  char* to = call->allocate(call, text.size + 2);
  if (to == NULL) return;
  to[0] = '*';
  memcpy(to + 1, text.data, text.size);
  to[text.size + 1] = '*';
  call->result->is_null = 0;
  call->result->value.text.data = to;
  call->result->value.text.size = text.size + 2;
}

/* How many of the arguments are null. */
static void nulls(const pollux_call* call) {
  int32_t count = 0;
  for (uint32_t i = 0; i < call->argument_count; ++i) count += call->arguments[i].is_null;
  call->result->is_null = 0;
  call->result->value.int_value = count;
}

/* The object as it came, by way of its JSON. */
static void same(const pollux_call* call) {
  call->result->is_null = 0;
  call->result->value.text = call->arguments[0].value.text;
}

/* What is no UTF-8. */
static void broken(const pollux_call* call) {
  call->result->is_null = 0;
  call->result->value.text.data = "\xff";
  call->result->value.text.size = 1;
}

static const pollux_function functions[] = {
    {"sample", "twice", "(<long> value) <long>", "Two times the value.", 0, twice},
    {"sample", "starred", "(<string> text) <string>", "The text between stars.", 0, starred},
    {"sample", "nulls", "(<any> value, ...) <int>", "How many values are null.", 1, nulls},
    {"sample", "same", "(<object> value) <object>", "The value.", 0, same},
    {"sample", "broken", "() <string>", "No text.", 0, broken},
};

static const pollux_extension extension = {POLLUX_EXTENSION_VERSION,
                                           sizeof(functions) / sizeof(functions[0]), functions};

const pollux_extension* pollux_extension_v1(void);
const pollux_extension* pollux_extension_v1(void) { return &extension; }
