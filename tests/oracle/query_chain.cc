#include "tests/oracle/query_chain.h"

namespace pollux::oracle {

namespace {

// Collects what a chain of stages puts out.
class Collector : public Stage {
 public:
  explicit Collector(Chain::Take take) : take_(std::move(take)) {}
  void process(Chunk chunk) override { take_({std::move(chunk)}); }
  void process_list(std::vector<Chunk> chunks) override { take_(std::move(chunks)); }

 private:
  Chain::Take take_;
};

}  // namespace

Chain::Chain(const ast::StreamSource& source, const Source& bound, const WindowContext& context,
             const Scope& base, Take take) {
  Scope scope = base;
  scope.sources = {bound};
  scope.current = 0;
  scope.newest_by_default = true;
  for (const ast::StreamHandler& handler : source.handlers) {
    switch (handler.kind) {
      case ast::StreamHandler::Kind::kFilter:
        stages_.push_back(make_filter(bind(*handler.filter, scope), context));
        break;
      case ast::StreamHandler::Kind::kWindow: {
        if (!handler.name_space.empty()) throw PlanError{"no window " + handler.name};
        auto made = make_window(handler, scope, context);
        window_ = made.get();
        stages_.push_back(std::move(made));
        break;
      }
      default:
        if (handler.name_space.empty() && handler.name == "log") break;
        throw PlanError{"stream functions are not supported"};
    }
  }
  if (context.searched && window_ == nullptr) {
    auto made = make_empty_window(context);
    window_ = made.get();
    stages_.push_back(std::move(made));
  } else if (context.searched && stages_.back().get() != window_) {
    throw PlanError{"the window must come last in a join"};
  }
  stages_.push_back(std::make_unique<Collector>(std::move(take)));
  for (size_t i = 0; i + 1 < stages_.size(); ++i) stages_[i]->next = stages_[i + 1].get();
}

}  // namespace pollux::oracle
