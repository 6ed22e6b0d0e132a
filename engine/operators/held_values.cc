#include "engine/operators/held_values.h"

#include "engine/types/object_value.h"

namespace pollux {

Vec HeldValues::take_steps(const Vec& entering, const uint8_t* removes, uint32_t steps) {
  for (const StringRef& text : left_texts_) strings_.release(text);
  left_texts_.clear();
  bool any_null = take_nulls(entering, removes, steps, words_.size() + texts_.size());
  Vec taken;
  taken.type = type_;
  taken.nulls = any_null ? step_nulls_.data() : nullptr;
  switch (width_of(type_)) {
    case 1:
      take_words<uint8_t>(entering, removes, steps);
      break;
    case 4:
      take_words<uint32_t>(entering, removes, steps);
      break;
    case 8:
      take_words<uint64_t>(entering, removes, steps);
      break;
    default:
      take_texts(entering, removes, steps);
  }
  taken.data = step_values_.values<uint64_t>(0);
  return taken;
}

template <class T>
void HeldValues::take_words(const Vec& entering, const uint8_t* removes, uint32_t steps) {
  T* taken = step_values_.values<T>(steps);
  auto take = [&](const auto& value) {
    uint32_t row = 0;
    for (uint32_t s = 0; s < steps; ++s) {
      if (removes[s] != 0) {
        taken[s] = static_cast<T>(words_.pop());
      } else {
        taken[s] = value(row++);
        words_.push(taken[s]);
      }
    }
  };
  if (entering.nulls == nullptr) return take([&](uint32_t row) { return entering.at<T>(row); });
  // What a null stands on is chance, and would make equal states differ.
  take([&](uint32_t row) { return entering.is_null(row) ? T{} : entering.at<T>(row); });
}

void HeldValues::take_texts(const Vec& entering, const uint8_t* removes, uint32_t steps) {
  auto* taken = step_values_.values<StringRef>(steps);
  uint32_t row = 0;
  for (uint32_t s = 0; s < steps; ++s) {
    if (removes[s] != 0) {
      taken[s] = texts_.pop();
      left_texts_.push_back(taken[s]);
    } else {
      bool null = entering.is_null(row);
      taken[s] = null ? StringRef() : strings_.store(entering.at<StringRef>(row));
      texts_.push(taken[s]);
      ++row;
    }
  }
}

bool HeldValues::take_nulls(const Vec& entering, const uint8_t* removes, uint32_t steps,
                            uint32_t held) {
  if (entering.nulls == nullptr && nulls_held_ == 0) return false;
  if (nulls_.empty()) {
    for (uint32_t i = 0; i < held; ++i) nulls_.push(0);
  }
  step_nulls_.resize(steps);
  uint32_t row = 0;
  for (uint32_t s = 0; s < steps; ++s) {
    if (removes[s] != 0) {
      step_nulls_[s] = nulls_.pop();
      nulls_held_ -= step_nulls_[s];
    } else {
      step_nulls_[s] = entering.is_null(row++) ? 1 : 0;
      nulls_.push(step_nulls_[s]);
      nulls_held_ += step_nulls_[s];
    }
  }
  if (nulls_held_ == 0) nulls_.clear();
  return true;
}

void HeldValues::archive(StateArchive& archive) {
  archive(words_, nulls_, nulls_held_);
  uint32_t texts = archive.count(texts_.size());
  for (uint32_t i = 0; i < texts; ++i) {
    if (archive.loads()) texts_.push(StringRef());
    archive.text(texts_[i], strings_);
    bool object = type_ == AttributeType::kObject && texts_[i].size() != 0;
    if (archive.loads() && object && !is_object(texts_[i].view())) archive.fail();
  }
  uint32_t held = words_.size() + texts_.size();
  if (!nulls_.empty() && nulls_.size() != held) archive.fail();
}

}  // namespace pollux
