#include "tests/engine/language/parse_helpers.h"

namespace pollux::test {
namespace {

using Kind = ast::Expression::Kind;

std::string shown_index(const ast::EventIndex& index) {
  switch (index.kind) {
    case ast::EventIndex::Kind::kNone:
      return "";
    case ast::EventIndex::Kind::kAt:
      return "[" + std::to_string(index.offset) + "]";
    case ast::EventIndex::Kind::kFromLast:
      return index.offset == 0 ? "[last]" : "[last-" + std::to_string(index.offset) + "]";
  }
  return "?";
}

std::string shown_constant(const Value& value) {
  struct Show {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int32_t v) const { return "int:" + std::to_string(v); }
    std::string operator()(int64_t v) const { return "long:" + std::to_string(v); }
    std::string operator()(float v) const { return "float:" + std::to_string(v); }
    std::string operator()(double v) const { return "double:" + std::to_string(v); }
    std::string operator()(const std::string& v) const { return "'" + v + "'"; }
    std::string operator()(const ObjectValue& v) const { return to_text(v); }
  };
  return std::visit(Show{}, value);
}

const char* operator_text(Kind kind) {
  switch (kind) {
    case Kind::kMultiply:
      return "*";
    case Kind::kDivide:
      return "/";
    case Kind::kModulo:
      return "%";
    case Kind::kAdd:
      return "+";
    case Kind::kSubtract:
      return "-";
    case Kind::kGreater:
      return ">";
    case Kind::kGreaterEqual:
      return ">=";
    case Kind::kLess:
      return "<";
    case Kind::kLessEqual:
      return "<=";
    case Kind::kEqual:
      return "==";
    case Kind::kNotEqual:
      return "!=";
    case Kind::kAnd:
      return "and";
    case Kind::kOr:
      return "or";
    default:
      return "?";
  }
}

}  // namespace

std::string shown(const ast::Reference& reference) {
  std::string out = reference.inner ? "#" : reference.fault ? "!" : "";
  out += reference.stream + shown_index(reference.index);
  if (!reference.second_stream.empty()) {
    out += "#" + reference.second_stream + shown_index(reference.second_index);
  }
  if (!out.empty() && !reference.attribute.empty()) out += ".";
  return out + reference.attribute;
}

std::string shown(const ast::Expression& e) {
  switch (e.kind) {
    case Kind::kConstant:
      return shown_constant(e.constant);
    case Kind::kTime:
      return std::to_string(std::get<int64_t>(e.constant)) + "ms";
    case Kind::kReference:
      return shown(e.reference);
    case Kind::kNot:
      return "(not " + shown(*e.arguments[0]) + ")";
    case Kind::kIsNull:
      return "(" + shown(*e.arguments[0]) + " is null)";
    case Kind::kIn:
      return "(" + shown(*e.arguments[0]) + " in " + e.table + ")";
    case Kind::kFunction: {
      std::string out = e.name_space.empty() ? e.name : e.name_space + ":" + e.name;
      out += e.star ? "(*" : "(";
      for (size_t i = 0; i < e.arguments.size(); ++i) {
        out += (i == 0 ? "" : ", ") + shown(*e.arguments[i]);
      }
      return out + ")";
    }
    default:
      return "(" + shown(*e.arguments[0]) + " " + operator_text(e.kind) + " " +
             shown(*e.arguments[1]) + ")";
  }
}

std::string shown(const ast::StateElement& element) {
  using State = ast::StateElement::Kind;
  std::string out;
  auto joined = [&](const char* separator) {
    std::string text;
    for (const ast::StateElement& child : element.children) {
      text += (text.empty() ? "" : separator) + shown(child);
    }
    return "[" + text + "]";
  };
  auto source = [&] {
    std::string text = element.source.alias.empty() ? "" : element.source.alias + "=";
    text += element.source.inner ? "#" : element.source.fault ? "!" : "";
    text += element.source.stream;
    for (const ast::StreamHandler& handler : element.source.handlers) {
      text += handler.filter ? "[" + shown(*handler.filter) + "]" : "#" + handler.name;
    }
    return text;
  };
  switch (element.kind) {
    case State::kStream:
      out = source();
      if (element.counted) {
        out +=
            "<" + std::to_string(element.min_count) + ":" + std::to_string(element.max_count) + ">";
      }
      break;
    case State::kAbsent:
      out = "not " + source();
      if (element.for_ms) out += " for " + std::to_string(*element.for_ms) + "ms";
      break;
    case State::kAnd:
      out = joined(" and ");
      break;
    case State::kOr:
      out = joined(" or ");
      break;
    case State::kNext:
      out = joined(" -> ");
      break;
    case State::kEvery:
      out = "every" + joined("");
      break;
  }
  if (element.within_ms) out += " within " + std::to_string(*element.within_ms) + "ms";
  return out;
}

}  // namespace pollux::test
