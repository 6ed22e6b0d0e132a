// The filters and the window of one source of a query.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/oracle/window.h"

namespace pollux::oracle {

/// Ends in `take`, which gets chunks that were made together at once.
class Chain {
 public:
  using Take = std::function<void(std::vector<Chunk>)>;

  /// Throws PlanError.
  Chain(const ast::StreamSource& source, const Source& bound, const WindowContext& context,
        const Scope& base, Take take);

  void process(const Chunk& chunk) { stages_.front()->process(chunk); }
  /// The window; null when there is none. A source that is searched always has one.
  const Window* window() const { return window_; }

 private:
  std::vector<std::unique_ptr<Stage>> stages_;
  Window* window_ = nullptr;
};

}  // namespace pollux::oracle
