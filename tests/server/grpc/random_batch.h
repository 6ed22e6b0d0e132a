// Random schemas and batches for tests, from a seed.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "engine/batch/event_batch.h"

namespace pollux {

class RandomBatches {
 public:
  explicit RandomBatches(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return random_() % bound; }

  SchemaPtr schema() {
    std::vector<Attribute> attributes;
    size_t count = 1 + below(8);
    for (size_t i = 0; i < count; ++i) {
      attributes.push_back({"a" + std::to_string(i), static_cast<AttributeType>(1 + below(6))});
    }
    return std::make_shared<const Schema>("Random", std::move(attributes));
  }

  std::shared_ptr<EventBatch> batch(const SchemaPtr& schema, uint32_t rows) {
    auto made = std::make_shared<EventBatch>(schema);
    made->set_one_chunk(below(2) == 0);
    uint64_t nulls_of_8 = below(3) == 0 ? 2 : 0;
    for (uint32_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < schema->size(); ++i) {
        made->append_value(i, below(8) < nulls_of_8 ? Value{} : value((*schema)[i].type));
      }
      made->end_row(static_cast<int64_t>(below(253402300800000)));
    }
    return made;
  }

 private:
  Value value(AttributeType type) {
    switch (type) {
      case AttributeType::kInt:
        return static_cast<int32_t>(random_());
      case AttributeType::kLong:
        return static_cast<int64_t>(random_());
      case AttributeType::kFloat:
        return static_cast<float>(static_cast<int32_t>(random_())) / 7;
      case AttributeType::kDouble:
        return static_cast<double>(static_cast<int64_t>(random_())) / 7;
      case AttributeType::kBool:
        return below(2) == 0;
      default:
        return text();
    }
  }

  std::string text() {
    static const char* const kCharacters[] = {"a", "Z", "0", "\n", "é", "€", "😀", "@"};
    std::string made;
    for (uint64_t left = below(24); left > 0; --left) made += kCharacters[below(8)];
    return made;
  }

  std::mt19937_64 random_;
};

}  // namespace pollux
