#include "engine/planner/annotation_check.h"

#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/planner/annotations.h"

namespace pollux {
namespace {

using Annotations = std::vector<ast::Annotation>;

std::optional<int32_t> whole_number(std::string_view text) {
  int32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class AnnotationCheck {
 public:
  explicit AnnotationCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void check(const ast::Plan& plan) {
    check_plan(plan.annotations);
    for (const ast::Definition& definition : plan.definitions) {
      std::visit([this](const auto& each) { check_definition(each); }, definition);
    }
    for (const ast::Element& element : plan.elements) {
      if (const auto* query = std::get_if<ast::Query>(&element)) {
        each_once(query->annotations, {"info"});
        continue;
      }
      const auto& partition = std::get<ast::Partition>(element);
      each_once(partition.annotations, {"info", "purge"});
      for (const ast::Query& query : partition.queries) each_once(query.annotations, {"info"});
    }
  }

 private:
  void report(const Location& location, std::string message, std::string expected) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), ""});
  }

  void each_once(const Annotations& annotations, std::initializer_list<std::string_view> names) {
    for (std::string_view name : names) {
      bool seen = false;
      for (const ast::Annotation& annotation : annotations) {
        if (!same_name(annotation.name, name)) continue;
        if (seen) report(annotation.location, "'@" + annotation.name + "' stands twice", "one");
        seen = true;
      }
    }
  }

  void check_plan(const Annotations& annotations) {
    each_once(annotations, {"app:name", "app:playback", "app:enforceOrder", "app:statistics",
                            "app:transportChannelCreationEnabled"});
    if (const auto* async = find_annotation(annotations, "app:async")) {
      report(async->location, "'@app:async' is not there",
             "'@Async' on the streams that it is for");
    }
  }

  template <class D>
  void check_definition(const D& definition) {
    if constexpr (std::is_same_v<D, ast::StreamDefinition>) {
      each_once(definition.annotations, {"Async", "OnError"});
      if (const auto* async = find_annotation(definition.annotations, "Async")) {
        check_async(*async);
      }
    }
  }

  /// Streams are handed on in order and by one thread here, so the numbers only have to be such.
  void check_async(const ast::Annotation& async) {
    for (const ast::AnnotationElement& element : async.elements) {
      bool buffer = same_name(element.key, "buffer.size") || same_name(element.key, "bufferSize");
      bool known =
          buffer || same_name(element.key, "workers") || same_name(element.key, "batch.size.max");
      std::optional<int32_t> number = whole_number(element.value);
      if (!known) continue;
      if (!number || *number <= 0) {
        report(element.location, "'" + element.key + "' is '" + element.value + "'",
               "a whole number above 0");
      } else if (buffer && (*number & (*number - 1)) != 0) {
        report(element.location, "'" + element.key + "' is '" + element.value + "'",
               "a power of 2, such as 256");
      }
    }
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void check_annotations(const ast::Plan& plan, Diagnostics& diagnostics) {
  AnnotationCheck(diagnostics).check(plan);
}

}  // namespace pollux
