// Functions of SiddhiQL's core, without a namespace.
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/base/number_text.h"
#include "engine/expression/constant_arguments.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/operators.h"
#include "engine/expression/row_function.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

using Arguments = std::vector<ExpressionPtr>;

template <class T>
void put_parsed(std::string_view text, RowResult& out) {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  auto [at, error] = std::from_chars(begin, end, value);
  if (error == std::errc() && at == end) out.put(value);
}

/// Java's narrowing of a floating number: NaN is 0, out of range is the nearest.
template <class T>
T to_integer(double value) {
  if (std::isnan(value)) return 0;
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
    return std::numeric_limits<T>::max();
  }
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) {
    return std::numeric_limits<T>::min();
  }
  return static_cast<T>(value);
}

bool is_integral(AttributeType type) {
  return type == AttributeType::kInt || type == AttributeType::kLong;
}

template <class T>
void put_integral(const RowArguments& in, RowResult& out) {
  switch (in.type(0)) {
    case AttributeType::kString:
      return put_parsed<T>(in.text(0), out);
    case AttributeType::kBool:
      return out.put(static_cast<T>(in.get<uint8_t>(0)));
    default:
      if (is_integral(in.type(0))) return out.put(static_cast<T>(in.integer(0)));
      return out.put(to_integer<T>(in.number(0)));
  }
}

template <class T>
void put_floating(const RowArguments& in, RowResult& out) {
  switch (in.type(0)) {
    case AttributeType::kString:
      return put_parsed<T>(in.text(0), out);
    case AttributeType::kBool:
      return out.put(static_cast<T>(in.get<uint8_t>(0)));
    case AttributeType::kLong:
      return out.put(static_cast<T>(in.get<int64_t>(0)));
    default:
      return out.put(static_cast<T>(in.number(0)));
  }
}

void put_bool(const RowArguments& in, RowResult& out) {
  switch (in.type(0)) {
    case AttributeType::kString: {
      std::string_view text = in.text(0);
      bool truth = text.size() == 4;
      for (size_t i = 0; truth && i < 4; ++i) truth = (text[i] | 0x20) == "true"[i];
      return out.put(static_cast<uint8_t>(truth));
    }
    case AttributeType::kBool:
      return out.put(in.get<uint8_t>(0));
    default:
      return out.put(static_cast<uint8_t>(in.number(0) == 1.0));
  }
}

CallResult make_convert(Arguments arguments) {
  std::optional<std::string> name =
      arguments.size() == 2 ? constant_text(arguments[1]) : std::nullopt;
  std::optional<AttributeType> to = name ? attribute_type_from(*name) : std::nullopt;
  if (!to || *to == AttributeType::kObject) {
    return CallError{"convert needs a value and the name of a type",
                     "convert(value, 'string' | 'int' | 'long' | 'float' | 'double' | 'bool')"};
  }
  AttributeType from = arguments[0]->type();
  if (from == *to) return arguments[0];
  arguments.pop_back();
  return make_row_function(*to, std::move(arguments), [to](const RowArguments& in, RowResult& out) {
    if (in.is_null(0)) return;
    if (in.type(0) == AttributeType::kObject && *to != AttributeType::kString) return;
    switch (*to) {
      case AttributeType::kString:
        return out.put_text(in.to_text(0));
      case AttributeType::kInt:
        return put_integral<int32_t>(in, out);
      case AttributeType::kLong:
        return put_integral<int64_t>(in, out);
      case AttributeType::kFloat:
        return put_floating<float>(in, out);
      case AttributeType::kDouble:
        return put_floating<double>(in, out);
      default:
        return put_bool(in, out);
    }
  });
}

/// The value of an object that is of the result's type, or may stand for it.
void put_cast(std::string_view object, AttributeType to, RowResult& out) {
  ObjectTag tag = tag_of(object);
  if (tag == ObjectTag::kNull) return;
  Value value = decode_object(object);
  if (to == AttributeType::kString && tag == ObjectTag::kString) {
    return out.put_text(std::get<std::string>(value));
  }
  if (to == AttributeType::kInt && tag == ObjectTag::kInt) return out.put(std::get<int32_t>(value));
  if (to == AttributeType::kLong && integer_of_object(object)) {
    return out.put(*integer_of_object(object));
  }
  if (to == AttributeType::kFloat && tag == ObjectTag::kFloat) {
    return out.put(std::get<float>(value));
  }
  if (to == AttributeType::kDouble && tag == ObjectTag::kDouble) {
    return out.put(std::get<double>(value));
  }
  if (to == AttributeType::kBool && tag == ObjectTag::kBool) {
    return out.put(static_cast<uint8_t>(std::get<bool>(value)));
  }
  out.put_stray(object);
}

/// cast() takes the value to be of the type already. One that is not cannot be used as such: it is
/// null, and goes on as a stray.
CallResult make_cast(Arguments arguments) {
  std::optional<std::string> name =
      arguments.size() == 2 ? constant_text(arguments[1]) : std::nullopt;
  std::optional<AttributeType> to = name ? attribute_type_from(*name) : std::nullopt;
  if (!to || *to == AttributeType::kObject) {
    return CallError{"cast needs a value and the name of a type",
                     "cast(value, 'string' | 'int' | 'long' | 'float' | 'double' | 'bool')"};
  }
  if (arguments[0]->type() == *to) return arguments[0];
  arguments.pop_back();
  return make_row_function(*to, std::move(arguments), [to](const RowArguments& in, RowResult& out) {
    StringRef stray = in.stray(0);
    put_cast(in.is_null(0) ? stray.view() : in.to_object(0), *to, out);
  });
}

CallResult make_coalesce(Arguments arguments) {
  if (arguments.empty()) return CallError{"coalesce needs arguments", "coalesce(a, b, ...)"};
  AttributeType type = arguments[0]->type();
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type() != type) {
      return CallError{"the arguments of coalesce are of different types", "arguments of one type"};
    }
  }
  return make_row_function(type, std::move(arguments), [](const RowArguments& in, RowResult& out) {
    for (size_t i = 0; i < in.size(); ++i) {
      if (!in.is_null(i)) return out.put_argument(in, i);
    }
  });
}

CallResult make_if_then_else(Arguments arguments) {
  if (arguments.size() != 3 || arguments[0]->type() != AttributeType::kBool ||
      arguments[1]->type() != arguments[2]->type()) {
    return CallError{"ifThenElse does not take these arguments",
                     "ifThenElse(bool, value, value of the same type)"};
  }
  AttributeType type = arguments[1]->type();
  return make_row_function(type, std::move(arguments), [](const RowArguments& in, RowResult& out) {
    bool condition = !in.is_null(0) && in.get<uint8_t>(0) != 0;
    out.put_argument(in, condition ? 1 : 2);
  });
}

CallResult make_default(Arguments arguments) {
  if (arguments.size() != 2 || arguments[0]->type() != arguments[1]->type()) {
    return CallError{"default does not take these arguments",
                     "default(attribute, constant of the same type)"};
  }
  AttributeType type = arguments[0]->type();
  return make_row_function(type, std::move(arguments), [](const RowArguments& in, RowResult& out) {
    out.put_argument(in, in.is_null(0) ? 1 : 0);
  });
}

template <AttributeType kType, ObjectTag kTag>
CallResult make_instance_of(Arguments arguments) {
  if (arguments.size() != 1) return CallError{"instanceOf takes one argument", "one value"};
  bool is = arguments[0]->type() == kType;
  bool object = arguments[0]->type() == AttributeType::kObject;
  return make_row_function(AttributeType::kBool, std::move(arguments),
                           [is, object](const RowArguments& in, RowResult& out) {
                             StringRef stray = in.stray(0);
                             bool found = is;
                             if (in.is_null(0)) {
                               found = stray.size() != 0 && tag_of(stray.view()) == kTag;
                             } else if (object) {
                               found = tag_of(in.text(0)) == kTag;
                             }
                             out.put(static_cast<uint8_t>(found));
                           });
}

CallResult make_create_set(Arguments arguments) {
  if (arguments.size() != 1 || arguments[0]->type() == AttributeType::kObject) {
    return CallError{"createSet does not take these arguments", "one string, bool or number"};
  }
  return make_row_function(AttributeType::kObject, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             std::string element = in.to_object(0);
                             out.put_made(make_set({element}));
                           });
}

CallResult make_size_of_set(Arguments arguments) {
  if (arguments.size() != 1 || arguments[0]->type() != AttributeType::kObject) {
    return CallError{"sizeOfSet does not take these arguments", "one object that is a set"};
  }
  return make_row_function(AttributeType::kInt, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return out.put(int32_t{0});
                             if (tag_of(in.text(0)) != ObjectTag::kSet) return;
                             out.put(static_cast<int32_t>(size_of_object(in.text(0))));
                           });
}

/// The greatest (or least) of the arguments that are not null; null when all are.
template <bool kGreatest>
CallResult make_extreme(Arguments arguments) {
  bool one_type = !arguments.empty() && is_numeric(arguments[0]->type());
  for (const ExpressionPtr& argument : arguments) {
    one_type = one_type && argument->type() == arguments[0]->type();
  }
  if (!one_type) return CallError{"minimum and maximum take numbers", "numbers of one type"};
  AttributeType type = arguments[0]->type();
  bool whole = type == AttributeType::kInt || type == AttributeType::kLong;
  return make_row_function(
      type, std::move(arguments), [whole](const RowArguments& in, RowResult& out) {
        auto less = [&](size_t a, size_t b) {
          return whole ? in.integer(a) < in.integer(b) : in.number(a) < in.number(b);
        };
        std::optional<size_t> best;
        for (size_t i = 0; i < in.size(); ++i) {
          if (in.is_null(i)) continue;
          bool beats = !best || (kGreatest ? less(*best, i) : less(i, *best));
          if (beats) best = i;
        }
        if (best) out.put_argument(in, *best);
      });
}

CallResult make_current_time(Arguments arguments) {
  if (!arguments.empty()) return CallError{"currentTimeMillis takes no arguments", "()"};
  return make_row_function(AttributeType::kLong, {},
                           [](const RowArguments& in, RowResult& out) { out.put(in.clock_ms()); });
}

CallResult make_event_timestamp(Arguments arguments) {
  if (!arguments.empty()) {
    return CallError{"eventTimestamp of another event is not available here", "eventTimestamp()"};
  }
  return ExpressionPtr(std::make_shared<TimestampExpression>(0));
}

/// One for each row, also where every row asks with the same arguments: with none.
class UuidExpression final : public Expression {
 public:
  explicit UuidExpression(UuidSource& uuids) : Expression(AttributeType::kString), uuids_(uuids) {}

  Vec evaluate(const Frame& frame) override {
    arena_.clear();
    auto* texts = buffer_.values<StringRef>(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) texts[i] = arena_.store(uuids_.next());
    return {AttributeType::kString, false, texts, nullptr};
  }

 private:
  UuidSource& uuids_;
  VecBuffer buffer_;
  Arena arena_;
};

CallResult make_uuid(Arguments arguments, UuidSource& uuids) {
  if (!arguments.empty()) return CallError{"UUID takes no arguments", "()"};
  return ExpressionPtr(std::make_shared<UuidExpression>(uuids));
}

}  // namespace

std::vector<FunctionEntry> core_functions() {
  return {
      {"", "convert", "(<any> value, <string> type) <type>",
       "The value as another type; null where a text is no such value.", make_convert},
      {"", "cast", "(<any> value, <string> type) <type>",
       "The value taken to be of the type, and not changed (an int may stand for a long). One that "
       "is of another type counts as null.",
       make_cast},
      {"", "coalesce", "(<any> value, ...) <any>", "The first value that is not null.",
       make_coalesce},
      {"", "ifThenElse", "(<bool> condition, <any> then, <any> else) <any>",
       "One of two values of one type.", make_if_then_else},
      {"", "default", "(<any> value, <any> default) <any>", "The value, or the default for null.",
       make_default},
      {"", "instanceOfBoolean", "(<any> value) <bool>", "Is the value a bool?",
       make_instance_of<AttributeType::kBool, ObjectTag::kBool>},
      {"", "instanceOfDouble", "(<any> value) <bool>", "Is the value a double?",
       make_instance_of<AttributeType::kDouble, ObjectTag::kDouble>},
      {"", "instanceOfFloat", "(<any> value) <bool>", "Is the value a float?",
       make_instance_of<AttributeType::kFloat, ObjectTag::kFloat>},
      {"", "instanceOfInteger", "(<any> value) <bool>", "Is the value an int?",
       make_instance_of<AttributeType::kInt, ObjectTag::kInt>},
      {"", "instanceOfLong", "(<any> value) <bool>", "Is the value a long?",
       make_instance_of<AttributeType::kLong, ObjectTag::kLong>},
      {"", "instanceOfString", "(<any> value) <bool>", "Is the value a string?",
       make_instance_of<AttributeType::kString, ObjectTag::kString>},
      {"", "createSet", "(<string|bool|number> value) <object>", "A set of this one value.",
       make_create_set},
      {"", "sizeOfSet", "(<object> set) <int>",
       "Number of values in a set; 0 for null, and null for what is no set.", make_size_of_set},
      {"", "maximum", "(<number> value, ...) <number>",
       "The greatest of the values that are not null.", make_extreme<true>},
      {"", "minimum", "(<number> value, ...) <number>",
       "The least of the values that are not null.", make_extreme<false>},
      {"", "currentTimeMillis", "() <long>", "The engine's time: that of the entry.",
       make_current_time, true},
      {"", "eventTimestamp", "() <long>", "The timestamp of the event.", make_event_timestamp},
      {"", "UUID", "() <string>", "Another identifier for each row, equal on both nodes of a pair.",
       nullptr, true, make_uuid},
  };
}

}  // namespace pollux
