// What language cases are run against: one runtime of a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/plan_description.h"
#include "engine/types/value.h"

namespace pollux::conformance {

using Row = std::vector<Value>;

/// The subject cannot take what the case asks for; says nothing about right or wrong.
struct Unsupported {
  std::string why;
};

struct SentEvent {
  int64_t timestamp = 0;
  Row row;
};

/// One call of a callback on a query or a stream.
struct Delivery {
  struct Event {
    bool expired = false;
    Row row;
  };
  bool query = false;
  std::string target;
  std::vector<Event> events;
};

/// The answer to an on-demand query.
struct Answer {
  std::string error;  ///< empty when it was answered
  std::vector<Row> rows;
};

class Subject {
 public:
  virtual ~Subject() = default;

  /// Whether everything that is wrong with a plan or a query is told.
  virtual bool tells_errors() const { return true; }
  /// Whether a value was taken as one of another type than it was sent as: it comes out as that.
  virtual bool took_other_types() const { return false; }
  /// Empty, or what is wrong with the plan. Throws Unsupported.
  virtual std::string deploy(const std::string& text) = 0;
  /// Each event a chunk of its own, or all as one. Throws Unsupported.
  virtual void send(const std::string& stream, std::vector<SentEvent> events, bool one_chunk,
                    int64_t now_ms) = 0;
  /// Time passes, through every deadline.
  virtual void advance(int64_t now_ms) = 0;
  /// Throws Unsupported.
  virtual Answer query(const std::string& text) = 0;
  /// The whole state of the plan. Throws Unsupported.
  virtual std::string save() = 0;
  /// Puts a state in the place of the plan's; says what is wrong with it.
  virtual std::string restore(const std::string& state) = 0;
  /// Whether the plan has a query or a stream of that name.
  virtual bool has(bool query, const std::string& name) const = 0;
  /// Attributes of a stream of the plan.
  virtual std::vector<std::string> attributes(const std::string& /*stream*/) const { return {}; }
  /// Sources and sinks of the plan. Throws Unsupported.
  virtual std::vector<StreamEndpoint> endpoints() const {
    throw Unsupported{"the subject does not tell its sources and sinks"};
  }
  /// What callbacks have seen since the last call.
  virtual std::vector<Delivery> take_deliveries() = 0;
};

}  // namespace pollux::conformance
