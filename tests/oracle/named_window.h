// `define window`: queries insert into it, read what it puts out, and search what it holds.
//
// What enters is current. What it puts out keeps its kind; resets are not put out, so aggregates of
// readers shrink by expired events alone.
#pragma once

#include <memory>
#include <string>

#include "tests/oracle/plan.h"
#include "tests/oracle/window.h"

namespace pollux::oracle {

class NamedWindow : private Stage {
 public:
  /// Puts out on `output`. Throws PlanError.
  NamedWindow(const ast::WindowDefinition& definition, const Fields& fields, PlanState& plan,
              Junction& output);

  const std::string& name() const { return output_.name(); }
  void add(const Chunk& events) { window_->process(events); }
  const Window& window() const { return *window_; }

 private:
  void process(Chunk chunk) override;

  bool current_, expired_;
  Junction& output_;
  std::unique_ptr<Window> window_;
};

}  // namespace pollux::oracle
