#include "tests/oracle/named_window.h"

namespace pollux::oracle {

NamedWindow::NamedWindow(const ast::WindowDefinition& definition, const Fields& fields,
                         PlanState& plan, Junction& output)
    : current_(definition.events != ast::OutputAction::Events::kExpired),
      expired_(definition.events != ast::OutputAction::Events::kCurrent),
      output_(output) {
  if (!definition.window.name_space.empty()) throw PlanError{"no window of an extension"};
  Scope scope = plan.base_scope();
  scope.sources = {{{definition.name}, fields}};
  scope.current = 0;
  window_ =
      make_window(definition.window, scope, {&plan.clock, expired_, true, &plan.table_pointers});
  window_->next = this;
}

void NamedWindow::process(Chunk chunk) {
  std::erase_if(chunk, [this](const Event& event) {
    bool wanted = (event.kind == EventKind::kCurrent && current_) ||
                  (event.kind == EventKind::kExpired && expired_);
    return !wanted;
  });
  if (!chunk.empty()) output_.send(chunk);
}

}  // namespace pollux::oracle
