// Windows that hold the newest event of each of the values that come often: frequent (the counting
// of Misra and Gries) and lossyFrequent (lossy counting of Manku and Motwani).
#include <algorithm>
#include <cmath>

#include "tests/oracle/window.h"

namespace pollux::oracle {

namespace {

// What is counted, in the order of its first coming.
class CountedWindow : public Window {
 public:
  CountedWindow(std::vector<Bound> attributes, const WindowContext& context)
      : attributes_(std::move(attributes)), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    for (Event& event : chunk) {
      if (event.kind == EventKind::kCurrent) take(std::move(event), out);
    }
    if (!out.empty()) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    std::vector<Event> events;
    for (const Counted& each : counted_) events.push_back(each.newest);
    return to_pointers(events);
  }

 protected:
  struct Counted {
    std::string key;
    Event newest;
    int64_t count = 1;
    int64_t bucket = 0;  ///< of lossyFrequent
  };

  virtual void take(Event event, Chunk& out) = 0;

  std::string key_of(const Event& event) const {
    std::string key;
    for (const Value& value : event.data) {
      if (attributes_.empty()) key += java_text(value);
    }
    for (const Bound& attribute : attributes_) key += java_text(attribute_of(attribute, event));
    return key;
  }

  // The entry of the event's key with the event as its newest; null when there is none.
  Counted* count_again(const std::string& key, const Event& event) {
    auto found = std::find_if(counted_.begin(), counted_.end(),
                              [&](const Counted& each) { return each.key == key; });
    if (found == counted_.end()) return nullptr;
    ++found->count;
    found->newest = with_kind(event, EventKind::kExpired);
    return &*found;
  }

  template <class Gone>
  void drop(Chunk& out, Gone&& gone) {
    for (auto each = counted_.begin(); each != counted_.end();) {
      if (!gone(*each)) {
        ++each;
        continue;
      }
      out.push_back(with_kind(each->newest, EventKind::kExpired, context_.clock->now()));
      each = counted_.erase(each);
    }
  }

  std::vector<Counted> counted_;

 private:
  std::vector<Bound> attributes_;
  WindowContext context_;
};

class FrequentWindow : public CountedWindow {
 public:
  FrequentWindow(int64_t most, std::vector<Bound> attributes, const WindowContext& context)
      : CountedWindow(std::move(attributes), context), most_(most) {}

 private:
  // A value for which there is no room takes one from the count of each other, and gets room if
  // that makes some go.
  void take(Event event, Chunk& out) override {
    std::string key = key_of(event);
    if (count_again(key, event) != nullptr) {
      out.push_back(std::move(event));
      return;
    }
    if (static_cast<int64_t>(counted_.size()) >= most_) {
      drop(out, [](Counted& each) { return --each.count == 0; });
      if (static_cast<int64_t>(counted_.size()) >= most_) return;
    }
    counted_.push_back({key, with_kind(event, EventKind::kExpired)});
    out.push_back(std::move(event));
  }

  int64_t most_;
};

class LossyFrequentWindow : public CountedWindow {
 public:
  struct Bounds {
    double support;
    double error;
  };

  LossyFrequentWindow(Bounds bounds, std::vector<Bound> attributes, const WindowContext& context)
      : CountedWindow(std::move(attributes), context),
        bounds_(bounds),
        width_(std::ceil(1 / bounds.error)) {}

 private:
  void take(Event event, Chunk& out) override {
    ++total_;
    double bucket = total_ == 1 ? 1 : std::ceil(static_cast<double>(total_) / width_);
    std::string key = key_of(event);
    Counted* counted = count_again(key, event);
    if (counted == nullptr) {
      counted_.push_back(
          {key, with_kind(event, EventKind::kExpired), 1, static_cast<int64_t>(bucket) - 1});
      counted = &counted_.back();
    }
    double least = (bounds_.support - bounds_.error) * static_cast<double>(total_);
    if (static_cast<double>(counted->count) >= least) out.push_back(std::move(event));
    if (std::fmod(static_cast<double>(total_), width_) != 0) return;
    drop(out, [bucket](const Counted& each) {
      return static_cast<double>(each.count + each.bucket) <= bucket;
    });
  }

  Bounds bounds_;
  double width_;
  int64_t total_ = 0;
};

double constant_share(const ast::StreamHandler& handler, size_t index) {
  Value value = constant_value(*handler.arguments.at(index));
  if (!std::holds_alternative<double>(value)) {
    throw PlanError{"window " + handler.name + " takes a double here"};
  }
  return std::get<double>(value);
}

std::vector<Bound> attributes_from(const ast::StreamHandler& handler, size_t first,
                                   const Scope& scope) {
  std::vector<Bound> attributes;
  for (size_t i = first; i < handler.arguments.size(); ++i) {
    if (handler.arguments[i]->kind != ast::Expression::Kind::kReference) {
      throw PlanError{"window " + handler.name + " takes attributes here"};
    }
    attributes.push_back(bind(*handler.arguments[i], scope));
  }
  return attributes;
}

}  // namespace

std::unique_ptr<Window> make_frequent_window(const ast::StreamHandler& handler, const Scope& scope,
                                             const WindowContext& context) {
  if (handler.name == "frequent") {
    return std::make_unique<FrequentWindow>(constant_number(handler, 0),
                                            attributes_from(handler, 1, scope), context);
  }
  if (handler.name != "lossyFrequent") return nullptr;
  LossyFrequentWindow::Bounds bounds{constant_share(handler, 0), 0};
  bounds.error = handler.arguments.size() > 1 ? constant_share(handler, 1) : bounds.support / 10;
  return std::make_unique<LossyFrequentWindow>(bounds, attributes_from(handler, 2, scope), context);
}

}  // namespace pollux::oracle
