#include "engine/extension/extension_functions.h"

#include <memory>
#include <utility>

#include "engine/base/utf8_text.h"
#include "engine/expression/json_object.h"
#include "engine/expression/signature.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

pollux_text view_of(std::string_view text) { return {text.data(), text.size()}; }

/// What one call needs besides its row: values, and memory for texts.
struct Call {
  std::vector<pollux_value> arguments;
  std::vector<std::string> texts;  ///< JSON of objects
  std::vector<std::unique_ptr<char[]>> allocated;

  static char* allocate(const pollux_call* call, size_t size) {
    if (size > kObjectBytesMax) return nullptr;
    auto* self = static_cast<Call*>(call->context);
    self->allocated.push_back(std::make_unique<char[]>(size + 1));
    return self->allocated.back().get();
  }
};

void take_argument(const RowArguments& in, size_t i, Call& call) {
  pollux_value& to = call.arguments[i];
  to.type = static_cast<int32_t>(in.type(i));
  to.is_null = in.is_null(i) ? 1 : 0;
  if (to.is_null != 0) return;
  switch (in.type(i)) {
    case AttributeType::kString:
      to.value.text = view_of(in.text(i));
      return;
    case AttributeType::kInt:
      to.value.int_value = in.get<int32_t>(i);
      return;
    case AttributeType::kLong:
      to.value.long_value = in.get<int64_t>(i);
      return;
    case AttributeType::kFloat:
      to.value.float_value = in.get<float>(i);
      return;
    case AttributeType::kDouble:
      to.value.double_value = in.get<double>(i);
      return;
    case AttributeType::kBool:
      to.value.bool_value = in.get<uint8_t>(i);
      return;
    case AttributeType::kObject:
      call.texts[i] = json_text(in.text(i));
      to.value.text = view_of(call.texts[i]);
      return;
  }
}

void put_result(const pollux_value& result, AttributeType type, RowResult& out) {
  if (result.is_null != 0 || result.type != static_cast<int32_t>(type)) return;
  switch (type) {
    case AttributeType::kInt:
      return out.put(result.value.int_value);
    case AttributeType::kLong:
      return out.put(result.value.long_value);
    case AttributeType::kFloat:
      return out.put(result.value.float_value);
    case AttributeType::kDouble:
      return out.put(result.value.double_value);
    case AttributeType::kBool:
      return out.put(static_cast<uint8_t>(result.value.bool_value != 0));
    default:
      break;
  }
  const pollux_text& from = result.value.text;
  if (from.size > kObjectBytesMax || (from.data == nullptr && from.size > 0)) return;
  std::string_view text(from.data == nullptr ? "" : from.data, from.size);
  if (type == AttributeType::kObject) return out.put_made(parse_json(text));
  if (text_of(characters_of(text)) == text) out.put_text(text);
}

FunctionEntry entry_of(const pollux_function& function, AttributeType type) {
  auto body = [run = function.call, type](const RowArguments& in, RowResult& out) {
    Call call;
    call.arguments.resize(in.size());
    call.texts.resize(in.size());
    for (size_t i = 0; i < in.size(); ++i) take_argument(in, i, call);
    pollux_value result{static_cast<int32_t>(type), 1, {}};
    pollux_call handed{call.arguments.data(), static_cast<uint32_t>(call.arguments.size()), &result,
                       &Call::allocate, &call};
    run(&handed);
    put_result(result, type, out);
  };
  return row_entry(function.name_space, function.name, function.signature, function.doc, body,
                   function.takes_nulls != 0 ? Nulls::kAreTaken : Nulls::kGiveNull);
}

}  // namespace

std::variant<std::vector<FunctionEntry>, std::string> functions_of(
    const pollux_extension& extension) {
  if (extension.version != POLLUX_EXTENSION_VERSION) {
    return "is of version " + std::to_string(extension.version) +
           " of the interface, expected version " + std::to_string(POLLUX_EXTENSION_VERSION);
  }
  std::vector<FunctionEntry> entries;
  for (uint32_t i = 0; i < extension.function_count; ++i) {
    const pollux_function& function = extension.functions[i];
    std::string number = "function " + std::to_string(i);
    if (function.name_space == nullptr || *function.name_space == '\0' ||
        function.name == nullptr || *function.name == '\0' || function.signature == nullptr ||
        function.doc == nullptr || function.call == nullptr) {
      return number + " has no namespace, name, signature, doc or call";
    }
    std::optional<AttributeType> type = result_of_signature(function.signature);
    if (!type) {
      return number + ", " + full_name(function.name_space, function.name) + ": '" +
             function.signature +
             "' is no signature such as '(<string> text, [<int> start]) <int>'";
    }
    entries.push_back(entry_of(function, *type));
  }
  return entries;
}

}  // namespace pollux
