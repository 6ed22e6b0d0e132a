// Shows an observer what goes by on its way.
#pragma once

#include <string>
#include <utility>

#include "engine/operators/chunk.h"
#include "engine/operators/flow_observer.h"
#include "engine/operators/selector.h"

namespace pollux {

class ObservedStream final : public Receiver {
 public:
  ObservedStream(std::string name, FlowObserver& observer)
      : name_(std::move(name)), observer_(observer) {}
  void receive(const Chunk& chunk) override { observer_.on_stream(name_, chunk); }

 private:
  std::string name_;
  FlowObserver& observer_;
};

class ObservedQuery final : public SelectedReceiver {
 public:
  ObservedQuery(std::string name, FlowObserver& observer, SelectedReceiver& next)
      : name_(std::move(name)), observer_(observer), next_(next) {}
  void receive(const Selected& selected) override {
    observer_.on_query(name_, selected.chunk);
    if (selected.chunk.rows > 0) next_.receive(selected);
  }

 private:
  std::string name_;
  FlowObserver& observer_;
  SelectedReceiver& next_;
};

/// return: the rows of a query that only an observer sees.
class ReturnedRows final : public SelectedReceiver {
 public:
  void receive(const Selected&) override {}
};

}  // namespace pollux
