#include "engine/script/javascript.h"

#include <duktape.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/script/javascript_prelude.h"
#include "engine/script/step_checks.h"

namespace pollux {
namespace {

constexpr const char* kFunctions = "functions";  ///< in the stash: by number
constexpr size_t kReasonBytesMax = 200;
constexpr double kPreludeStepsMax = 1e9;

/// What a heap may still take; Duktape hands it to the allocator.
struct Budget {
  size_t bytes = 0;
  double steps = 0;
};

/// In front of each block: its size.
constexpr size_t kBlockHead = alignof(std::max_align_t);

void* allocate(void* budget, duk_size_t size) {
  auto& left = *static_cast<Budget*>(budget);
  if (size == 0 || size > left.bytes) return nullptr;
  auto* block = static_cast<std::byte*>(std::malloc(size + kBlockHead));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &size, sizeof(size));
  left.bytes -= size;
  return block + kBlockHead;
}

void release(void* budget, void* block) {
  if (block == nullptr) return;
  auto* head = static_cast<std::byte*>(block) - kBlockHead;
  size_t size = 0;
  std::memcpy(&size, head, sizeof(size));
  static_cast<Budget*>(budget)->bytes += size;
  std::free(head);
}

void* reallocate(void* budget, void* block, duk_size_t size) {
  if (block == nullptr) return allocate(budget, size);
  if (size == 0) {
    release(budget, block);
    return nullptr;
  }
  size_t before = 0;
  std::memcpy(&before, static_cast<std::byte*>(block) - kBlockHead, sizeof(before));
  void* larger = allocate(budget, size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, std::min<size_t>(before, size));
  release(budget, block);
  return larger;
}

[[noreturn]] void on_fatal(void*, const char* message) {
  fail_assertion(message == nullptr ? "script engine" : message, __FILE__, __LINE__);
}

// ---- called by scripts: no destructors here, errors jump ----

Budget& budget_of(duk_context* context) {
  duk_memory_functions functions;
  duk_get_memory_functions(context, &functions);
  return *static_cast<Budget*>(functions.udata);
}

void take_steps(duk_context* context, double steps) {
  Budget& budget = budget_of(context);
  budget.steps -= steps;
  if (!(budget.steps >= 0)) {
    budget.steps = -1;
    duk_error(context, DUK_ERR_RANGE_ERROR, "more than %lu steps",
              static_cast<unsigned long>(JavaScript::kStepsMax));
  }
}

duk_ret_t on_step(duk_context* context) {
  take_steps(context, 1);
  duk_push_true(context);
  return 1;
}

duk_ret_t on_steps(duk_context* context) {
  double more = duk_get_number(context, 0);  // no number gives NaN
  take_steps(context, more > 0 ? more + 1 : 1);
  return 0;
}

duk_ret_t on_keys(duk_context* context) {
  if (duk_is_object(context, 0)) {
    duk_enum(context, 0, 0);
    while (duk_next(context, -1, 0) != 0) {
      duk_pop(context);
      take_steps(context, 1);
    }
    duk_pop(context);
  } else if (duk_is_string(context, 0)) {
    take_steps(context, static_cast<double>(duk_get_length(context, 0)));
  }
  return 1;  // the argument
}

duk_ret_t prepare(duk_context* context, void*) {
  duk_push_global_object(context);
  duk_push_c_function(context, on_step, 0);
  duk_put_prop_string(context, -2, kStepFunction.data());
  duk_push_c_function(context, on_keys, 1);
  duk_put_prop_string(context, -2, kKeysFunction.data());
  duk_eval_string(context, kJavaScriptPrelude);
  duk_dup(context, -2);
  duk_push_c_function(context, on_steps, 1);
  duk_call(context, 2);
  duk_pop(context);
  // What scripts write to globals goes to an object of its own, which is easily wiped.
  duk_push_object(context);
  duk_dup(context, -2);
  duk_set_prototype(context, -2);
  duk_set_global_object(context);
  duk_push_heap_stash(context);
  duk_push_array(context);
  duk_put_prop_string(context, -2, kFunctions);
  return 0;
}

struct Compilation {
  const std::string& text;
  const std::string& name;
  duk_uarridx_t number;
};

duk_ret_t compile_function(duk_context* context, void* given) {
  auto& compilation = *static_cast<Compilation*>(given);
  duk_push_heap_stash(context);
  duk_get_prop_string(context, -1, kFunctions);
  duk_push_lstring(context, compilation.name.data(), compilation.name.size());
  duk_compile_lstring_filename(context, DUK_COMPILE_FUNCTION, compilation.text.data(),
                               compilation.text.size());
  // Nothing can be kept in the function either.
  if (duk_get_prop_string(context, -1, "prototype") != 0) duk_freeze(context, -1);
  duk_pop(context);
  duk_freeze(context, -1);
  duk_put_prop_index(context, -2, compilation.number);
  return 0;
}

struct Call {
  uint32_t function;
  const RowArguments& arguments;
  const std::vector<std::string>& repaired;  ///< texts that are not UTF-8, by argument
  AttributeType returns;
};

void push_argument(duk_context* context, const Call& call, size_t i) {
  const RowArguments& in = call.arguments;
  if (in.is_null(i)) return duk_push_null(context);
  switch (in.type(i)) {
    case AttributeType::kBool:
      return duk_push_boolean(context, in.get<uint8_t>(i) != 0 ? 1 : 0);
    case AttributeType::kString:
    case AttributeType::kObject: {
      std::string_view text = call.repaired[i].empty() ? in.text(i) : call.repaired[i];
      duk_push_lstring(context, text.data(), text.size());
      return;
    }
    default:
      return duk_push_number(context, in.number(i));
  }
}

/// Makes a primitive value of what is on top: a text where one is wanted, a number of a text that
/// JavaScript takes for one.
void convert_result(duk_context* context, AttributeType returns) {
  if (duk_is_null_or_undefined(context, -1) != 0) return;
  if (returns == AttributeType::kString) {
    duk_to_string(context, -1);
    return;
  }
  duk_to_primitive(context, -1, DUK_HINT_NUMBER);
  if (returns == AttributeType::kBool || duk_is_string(context, -1) == 0) return;
  bool blank = true;
  duk_size_t size = 0;
  const char* bytes = duk_get_lstring(context, -1, &size);
  for (duk_size_t i = 0; i < size; ++i)
    blank = blank && std::strchr(" \t\r\n", bytes[i]) != nullptr;
  if (blank || std::isnan(duk_to_number(context, -1))) {
    duk_error(context, DUK_ERR_TYPE_ERROR, "the result is no number");
  }
}

/// Leaves the result, a primitive value.
duk_ret_t call_function(duk_context* context, void* given) {
  const auto& call = *static_cast<Call*>(given);
  duk_push_heap_stash(context);
  duk_get_prop_string(context, -1, kFunctions);
  duk_get_prop_index(context, -1, call.function);
  duk_push_array(context);
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    push_argument(context, call, i);
    duk_put_prop_index(context, -2, static_cast<duk_uarridx_t>(i));
  }
  duk_call(context, 1);
  convert_result(context, call.returns);
  return 1;
}

/// Wipes off what a script wrote to globals; gives whether any of it is still there.
duk_ret_t wipe_globals(duk_context* context, void*) {
  duk_push_global_object(context);
  duk_enum(context, -1, DUK_ENUM_OWN_PROPERTIES_ONLY | DUK_ENUM_INCLUDE_NONENUMERABLE);
  while (duk_next(context, -1, 0) != 0) duk_del_prop(context, -3);
  return 0;
}

}  // namespace

class JavaScript::Heap {
 public:
  Heap() { make(); }
  ~Heap() { duk_destroy_heap(context_); }
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Compiled compile(const std::string& name, std::string_view body, AttributeType returns) {
    Compiled compiled;
    CheckedScript checked = with_step_checks(body);
    if (!checked.error.empty()) {
      compiled.error = std::move(checked.error);
      compiled.line = checked.line;
      compiled.column = checked.column;
      return compiled;
    }
    std::string text =
        "function (data) {" + std::string(kStepFunction) + "();" + checked.text + "\n}";
    compiled.function = static_cast<uint32_t>(functions_.size());
    functions_.push_back({name, std::move(text), returns});
    if (!compile_last(compiled.error, compiled.line)) functions_.pop_back();
    return compiled;
  }

  AttributeType returns(uint32_t function) const { return functions_[function].returns; }
  const ScriptFailures& failures() const { return failures_; }

  void call(uint32_t function, const RowArguments& arguments, RowResult& out) {
    repair_texts(arguments);
    AttributeType returns = functions_[function].returns;
    Call call{function, arguments, repaired_, returns};
    budget_.steps = kStepsMax;
    if (duk_safe_call(context_, call_function, &call, 0, 1) == DUK_EXEC_SUCCESS) {
      if (!put_result(returns, out)) {
        note_failure(function, "the result does not fit " + std::string(name_of(returns)));
      }
    } else {
      note_failure(function, reason());
    }
    duk_pop(context_);
    budget_.steps = kStepsMax;
    bool wiped = duk_safe_call(context_, wipe_globals, nullptr, 0, 1) == DUK_EXEC_SUCCESS;
    duk_pop(context_);
    if (!wiped) make_anew();
  }

 private:
  struct Function {
    std::string name;
    std::string text;
    AttributeType returns;
  };

  void make() {
    budget_ = {kHeapBytesMax, kPreludeStepsMax};
    context_ = duk_create_heap(allocate, reallocate, release, &budget_, on_fatal);
    POLLUX_CHECK(context_ != nullptr);
    bool prepared = duk_safe_call(context_, prepare, nullptr, 0, 1) == DUK_EXEC_SUCCESS;
    if (!prepared) fail_assertion(reason().c_str(), __FILE__, __LINE__);
    duk_pop(context_);
  }

  /// The heap is full of what no script can be rid of.
  void make_anew() {
    duk_destroy_heap(context_);
    make();
    std::vector<Function> functions = std::exchange(functions_, {});
    for (Function& function : functions) {
      functions_.push_back(std::move(function));
      std::string error;
      uint32_t line = 0;
      POLLUX_CHECK(compile_last(error, line));
    }
  }

  bool compile_last(std::string& error, uint32_t& line) {
    const Function& function = functions_.back();
    auto number = static_cast<duk_uarridx_t>(functions_.size() - 1);
    Compilation compilation{function.text, function.name, number};
    budget_.steps = kStepsMax;
    bool good = duk_safe_call(context_, compile_function, &compilation, 0, 1) == DUK_EXEC_SUCCESS;
    if (!good) {
      if (duk_is_error(context_, -1) != 0) {
        duk_get_prop_string(context_, -1, "lineNumber");
        if (duk_is_number(context_, -1) != 0) line = duk_get_uint(context_, -1);
        duk_pop(context_);
      }
      error = reason();
    }
    duk_pop(context_);
    return good;
  }

  /// What was thrown, as text.
  std::string reason() {
    std::string text = repaired_utf8(duk_safe_to_string(context_, -1));
    if (text.size() <= kReasonBytesMax) return text;
    text.resize(kReasonBytesMax);
    return repaired_utf8(text) + "...";
  }

  void note_failure(uint32_t function, const std::string& why) {
    ++failures_.count;
    failures_.last = functions_[function].name + ": " + why;
  }

  void repair_texts(const RowArguments& arguments) {
    repaired_.assign(arguments.size(), {});
    for (size_t i = 0; i < arguments.size(); ++i) {
      bool text = arguments.type(i) == AttributeType::kString && !arguments.is_null(i);
      if (!text) continue;
      std::string repaired = repaired_utf8(arguments.text(i));
      if (repaired != arguments.text(i)) repaired_[i] = std::move(repaired);
    }
  }

  /// The value on top; false when it does not fit.
  bool put_result(AttributeType type, RowResult& out) {
    if (duk_is_null_or_undefined(context_, -1) != 0) return true;
    if (type == AttributeType::kString) {
      duk_size_t size = 0;
      const char* bytes = duk_get_lstring(context_, -1, &size);
      out.put_text(repaired_utf8({bytes, size}));
      return true;
    }
    if (type == AttributeType::kBool) return put_bool(out);
    return duk_is_number(context_, -1) != 0 && put_number(type, duk_get_number(context_, -1), out);
  }

  /// "true" and "false" are bools too.
  bool put_bool(RowResult& out) {
    std::string_view text = duk_is_boolean(context_, -1) == 0    ? ""
                            : duk_get_boolean(context_, -1) != 0 ? "true"
                                                                 : "false";
    if (duk_is_string(context_, -1) != 0) text = duk_get_string(context_, -1);
    bool boolean = text == "true" || text == "false";
    if (boolean) out.put(static_cast<uint8_t>(text == "true" ? 1 : 0));
    return boolean;
  }

  /// Whole numbers lose what stands behind the point.
  static bool put_number(AttributeType type, double number, RowResult& out) {
    constexpr double kIntEnd = 2147483648.0;            // 2^31
    constexpr double kLongEnd = 9223372036854775808.0;  // 2^63
    double whole = std::trunc(number);
    switch (type) {
      case AttributeType::kInt:
        if (!(whole >= -kIntEnd && whole < kIntEnd)) return false;
        out.put(static_cast<int32_t>(whole));
        return true;
      case AttributeType::kLong:
        if (!(whole >= -kLongEnd && whole < kLongEnd)) return false;
        out.put(static_cast<int64_t>(whole));
        return true;
      case AttributeType::kFloat:
        out.put(static_cast<float>(number));
        return true;
      case AttributeType::kDouble:
        out.put(number);
        return true;
      default:
        return false;
    }
  }

  Budget budget_;
  duk_context* context_ = nullptr;
  std::vector<Function> functions_;
  std::vector<std::string> repaired_;
  ScriptFailures failures_;
};

JavaScript::JavaScript() : heap_(std::make_unique<Heap>()) {}
JavaScript::~JavaScript() = default;

JavaScript::Compiled JavaScript::compile(const std::string& name, std::string_view body,
                                         AttributeType returns) {
  return heap_->compile(name, body, returns);
}

AttributeType JavaScript::returns(uint32_t function) const { return heap_->returns(function); }

void JavaScript::call(uint32_t function, const RowArguments& arguments, RowResult& out) {
  heap_->call(function, arguments, out);
}

const ScriptFailures& JavaScript::failures() const { return heap_->failures(); }

}  // namespace pollux
