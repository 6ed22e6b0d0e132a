#include "engine/operators/pattern_operator.h"

#include <utility>

#include "engine/operators/in_hand.h"
#include "engine/operators/instance_pattern.h"
#include "engine/operators/output_gate.h"
#include "engine/operators/step_sequence.h"

namespace pollux {
namespace {

void append_value(const Column& from, uint32_t row, Column& to) {
  if (from.is_null(row)) return to.append_null();
  switch (from.width()) {
    case 1:
      return to.append(from.data<uint8_t>()[row]);
    case 4:
      return to.append(from.data<uint32_t>()[row]);
    case 8:
      return to.append(from.data<uint64_t>()[row]);
    default:
      return to.append(from.data<StringRef>()[row]);
  }
}

SchemaPtr columns_of(const std::vector<PatternReference>& references,
                     const std::vector<uint32_t>& picked) {
  std::vector<Attribute> columns;
  for (uint32_t r : picked) columns.push_back({"", references[r].type});
  return std::make_shared<Schema>("", std::move(columns));
}

SchemaPtr columns_of(const std::vector<PatternReference>& references) {
  std::vector<uint32_t> all(references.size());
  for (uint32_t r = 0; r < all.size(); ++r) all[r] = r;
  return columns_of(references, all);
}

}  // namespace

class PatternOperator::Input final : public Receiver {
 public:
  Input(PatternOperator& owner, uint32_t index) : owner_(owner), index_(index) {}
  void receive(const Chunk& chunk) override { owner_.receive(index_, chunk); }

 private:
  PatternOperator& owner_;
  uint32_t index_;
};

std::unique_ptr<PatternOperator> PatternOperator::create(PatternPlan plan, PlanContext& context,
                                                         Receiver& next) {
  if (StepSequence::suits(plan)) {
    return std::make_unique<StepSequence>(std::move(plan), context, next);
  }
  return std::make_unique<InstancePattern>(std::move(plan), context, next);
}

namespace {

/// Often enough that nothing stays for long behind its time, and never for nothing.
int64_t sweep_period(const PatternPlan& plan) {
  constexpr int64_t kPeriodMinMs = 1000;
  if (!plan.within_ms) return Sweeper::kPeriodMs;
  return std::clamp(*plan.within_ms, kPeriodMinMs, Sweeper::kPeriodMs);
}

}  // namespace

PatternOperator::PatternOperator(PatternPlan plan, PlanContext& context, Receiver& next)
    : plan_(std::move(plan)),
      context_(context),
      states_of_input_(plan_.inputs.size()),
      sweeper_(context, sweep_period(plan_), [this](int64_t now) { return sweep(now); }),
      matches_(columns_of(plan_.references, plan_.outputs), next),
      passing_(plan_.states.size()),
      references_row_(columns_of(plan_.references)) {
  for (size_t s = plan_.states.size(); s-- > 0;) {
    states_of_input_[plan_.states[s].input].push_back(static_cast<uint32_t>(s));
  }
  std::vector<std::vector<bool>> kept;
  for (const SchemaPtr& schema : plan_.inputs) kept.emplace_back(schema->size(), false);
  for (const PatternReference& reference : plan_.references) {
    if (reference.column == PatternReference::kPresence) continue;
    kept[plan_.states[reference.state].input][static_cast<size_t>(reference.column)] = true;
  }
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    inputs_.push_back(std::make_unique<Input>(*this, static_cast<uint32_t>(i)));
    stores_.push_back(
        std::make_unique<RowStore>(plan_.inputs[i], std::move(kept[i]), context.strings()));
  }
}

PatternOperator::~PatternOperator() = default;

Receiver& PatternOperator::input(uint32_t index) { return *inputs_[index]; }

void PatternOperator::take_in_hand(uint32_t input, const Chunk& chunk) {
  in_hand_ = &chunk;
  input_in_hand_ = input;
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  for (uint32_t s : states_of_input_[input]) {
    std::vector<uint8_t>& passing = passing_[s];
    if (!plan_.states[s].local) {
      passing.assign(chunk.rows, 1);
      continue;
    }
    Vec truth = plan_.states[s].local->evaluate(frame);
    if (!truth.constant && truth.nulls == nullptr) {
      passing.assign(truth.as<uint8_t>(), truth.as<uint8_t>() + chunk.rows);
      continue;
    }
    passing.resize(chunk.rows);
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      passing[i] = static_cast<uint8_t>(truth.at<uint8_t>(i) != 0 && !truth.is_null(i));
    }
  }
}

bool PatternOperator::passes_with_references(Expression& filter, uint32_t i) {
  FrameSource sources[2];
  sources[PatternSource::kEvent] = {in_hand_->batch, nullptr, in_hand_->row(i), false};
  sources[PatternSource::kReferences] = {&references_row_, nullptr, 0, false};
  picked_.clear();
  select_rows(filter, {1, sources, context_.now()}, picked_);
  return !picked_.empty();
}

void PatternOperator::append_reference(const PatternReference& reference, bool taken, Slot slot,
                                       Column& to) {
  if (reference.column == PatternReference::kPresence) {
    return to.append(static_cast<uint8_t>(taken));
  }
  if (!taken || slot == RowStore::kNoSlot) return to.append_null();
  auto column = static_cast<size_t>(reference.column);
  if (in_hand::holds(slot)) {
    uint32_t row = in_hand_->row(in_hand::row_of(slot));
    return append_value(in_hand_->batch->column(column), row, to);
  }
  stores_[plan_.states[reference.state].input]->gather_column(&slot, 1, column, to);
}

void PatternOperator::hand_on() {
  bool selected_first = states_of_input_[input_in_hand_].size() > 1;
  if (!behind_chunk() || matches_.empty()) {
    matches_.hand_on();
    settle();
    in_hand_ = nullptr;
    return;
  }
  PatternMatches::Held held = matches_.take();
  settle();
  in_hand_ = nullptr;
  if (gate_ != nullptr && selected_first) gate_->close();
  matches_.hand_on_one_by_one(held);
  if (gate_ != nullptr && selected_first) gate_->open();
}

void PatternOperator::hand_on_between_chunks() {
  if (matches_.empty()) return settle();
  PatternMatches::Held held = matches_.take();
  settle();
  matches_.hand_on_one_by_one(held);
}

void PatternOperator::archive_stores(StateArchive& archive) {
  archive(sweeper_);
  for (const auto& store : stores_) archive(*store);
}

size_t PatternOperator::stores_bytes() const {
  size_t bytes = 0;
  for (const auto& store : stores_) bytes += store->bytes();
  return bytes;
}

}  // namespace pollux
