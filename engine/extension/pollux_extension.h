// The interface of extensions: shared libraries with functions for SiddhiQL, in C or whatever can
// be called from C.
//
// An extension exports one symbol, pollux_extension_v1, that says what it has. A function depends
// on its arguments alone: of equal arguments it gives equal results on every host and at every
// time, or the nodes of a pair come apart. It is called from several threads at once, keeps
// nothing, waits for nothing and throws nothing. A library stays loaded as long as the process
// lives.
//
// Nothing in here changes within a version; a new version gets a new symbol.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POLLUX_EXTENSION_VERSION 1
#define POLLUX_EXTENSION_SYMBOL "pollux_extension_v1"

enum {
  POLLUX_STRING = 1,
  POLLUX_INT = 2,
  POLLUX_LONG = 3,
  POLLUX_FLOAT = 4,
  POLLUX_DOUBLE = 5,
  POLLUX_BOOL = 6,
  POLLUX_OBJECT = 7  // as text: JSON
};

// UTF-8, without a zero at its end.
typedef struct {
  const char* data;
  size_t size;
} pollux_text;

typedef struct {
  int32_t type;
  int32_t is_null;
  union {
    int32_t int_value;
    int64_t long_value;
    float float_value;
    double double_value;
    int32_t bool_value;
    pollux_text text;  // POLLUX_STRING and POLLUX_OBJECT
  } value;
} pollux_value;

typedef struct pollux_call pollux_call;
struct pollux_call {
  const pollux_value* arguments;
  uint32_t argument_count;
  pollux_value* result;  // its type is set, and it is null until the function says otherwise
  // Memory for a result's text; NULL when there is none. It is given back after the call.
  char* (*allocate)(const pollux_call* call, size_t size);
  void* context;  // of allocate
};

typedef struct {
  const char* name_space;  // not empty
  const char* name;
  // Such as "(<string> text, [<int> start, ...]) <int>", as the reference of functions shows them.
  // The result is one type. Arguments that do not fit are refused before any call.
  const char* signature;
  const char* doc;
  int32_t takes_nulls;  // 0: one null argument gives null, without a call
  void (*call)(const pollux_call* call);
} pollux_function;

typedef struct {
  uint32_t version;  // POLLUX_EXTENSION_VERSION
  uint32_t function_count;
  const pollux_function* functions;
} pollux_extension;

typedef const pollux_extension* (*pollux_extension_entry)(void);

#ifdef __cplusplus
}
#endif
