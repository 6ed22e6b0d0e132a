// A window with a name: queries insert into it, read what it puts out, and search what it holds.
//
// What enters is current; what is put out keeps being current or expired, without resets, since
// readers may see rows of one kind only. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/operators/chunk_filter.h"
#include "engine/operators/junction.h"
#include "engine/operators/window.h"

namespace pollux {

class NamedWindow {
 public:
  /// Which rows the window puts out.
  struct Output {
    bool current = true;
    bool expired = true;
  };

  NamedWindow(WindowPlan plan, Output output, PlanContext& context);

  const SchemaPtr& schema() const { return output_.schema(); }
  /// Holds the rows; what is inserted goes here.
  WindowOperator& window() { return *window_; }
  /// What comes out.
  Junction& output() { return output_; }

 private:
  class Publisher final : public Receiver {
   public:
    Publisher(Output kinds, Junction& output) : kinds_(kinds), output_(output) {}
    void receive(const Chunk& chunk) override;

   private:
    Output kinds_;
    Junction& output_;
  };

  Junction output_;
  Publisher publisher_;
  std::unique_ptr<WindowOperator> window_;
};

/// insert into a named window.
class InsertIntoWindow final : public SelectedReceiver {
 public:
  explicit InsertIntoWindow(NamedWindow& window) : window_(window) {}

  void receive(const Selected& selected) override {
    Chunk chunk = selected.chunk;
    chunk.kinds = nullptr;
    chunk.keys = nullptr;
    window_.window().receive(chunk);
  }

 private:
  NamedWindow& window_;
};

}  // namespace pollux
