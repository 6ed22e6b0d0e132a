// Random schemas, batches and entries of every kind, from a seed.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/entry.h"
#include "engine/types/object_value.h"

namespace pollux {

class RandomEntries {
 public:
  explicit RandomEntries(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return random_() % bound; }

  SchemaPtr schema() {
    std::vector<Attribute> attributes;
    for (uint64_t i = below(9); i > 0; --i) {
      attributes.push_back({text(20), static_cast<AttributeType>(1 + below(7))});
    }
    return std::make_shared<const Schema>(text(20), std::move(attributes));
  }

  std::shared_ptr<EventBatch> batch(const SchemaPtr& schema, uint32_t rows) {
    auto made = std::make_shared<EventBatch>(schema);
    made->set_one_chunk(below(2) == 0);
    uint64_t nulls_of_8 = below(2) == 0 ? below(9) : 0;
    uint64_t strays_of_8 = below(4) == 0 ? 2 : 0;
    for (uint32_t row = 0; row < rows; ++row) {
      for (size_t c = 0; c < schema->size(); ++c) {
        AttributeType type = (*schema)[c].type;
        if (below(8) < strays_of_8) type = static_cast<AttributeType>(1 + below(7));
        made->append_value(c, below(8) < nulls_of_8 ? Value{} : value(type));
      }
      made->end_row(static_cast<int64_t>(random_()));
    }
    return made;
  }

  /// Of the type, or of any.
  Entry entry(std::optional<EntryType> wanted = {}) {
    EntryType type = wanted.value_or(static_cast<EntryType>(1 + below(7)));
    Entry made{{{random_()}, {random_()}}, {static_cast<int64_t>(random_())}, payload(type)};
    return made;
  }

  std::string text(uint64_t bytes_max) {
    std::string made(below(bytes_max + 1), '\0');
    for (char& byte : made) byte = static_cast<char>(random_());
    return made;
  }

 private:
  /// None more often than not.
  std::vector<StoredRows> stored() {
    std::vector<StoredRows> all;
    for (uint64_t holders = below(2) * below(4); holders > 0; --holders) {
      StoredRows rows{text(30), static_cast<int64_t>(random_()), {}};
      for (uint64_t i = below(3); i > 0; --i) {
        rows.batches.push_back(batch(schema(), static_cast<uint32_t>(below(20))));
      }
      all.push_back(std::move(rows));
    }
    return all;
  }

  EntryPayload payload(EntryType type) {
    switch (type) {
      case EntryType::kEvents: {
        static constexpr uint32_t kRows[] = {0, 1, 2, 63, 64, 65, 100};
        bool named = below(2) == 0;
        EventsPayload events{batch(schema(), kRows[below(7)]), named ? text(40) : "",
                             named ? random_() : 0};
        for (uint64_t tables = below(2) * below(3); tables > 0; --tables) {
          events.found.push_back({text(30), batch(schema(), static_cast<uint32_t>(below(20)))});
        }
        return events;
      }
      case EntryType::kTick:
        return TickPayload{};
      case EntryType::kDeploy:
        return DeployPayload{.plan = text(30),
                             .text = text(3000),
                             .semantics_version = static_cast<uint32_t>(random_()),
                             .dialect = below(2) == 0 ? Dialect::k51 : Dialect::k31,
                             .source = below(2) == 0 ? text(3000) : "",
                             .origin = text(30),
                             .replace = below(2) == 0,
                             .stored = stored()};
      case EntryType::kUndeploy:
        return UndeployPayload{text(30)};
      case EntryType::kPersist:
        return PersistPayload{};
      case EntryType::kWrite:
        return WritePayload{text(30), text(300)};
      case EntryType::kEpochBegin:
        return EpochBeginPayload{text(30)};
    }
    return TickPayload{};
  }

  Value value(AttributeType type) {
    switch (type) {
      case AttributeType::kInt:
        return static_cast<int32_t>(random_());
      case AttributeType::kLong:
        return static_cast<int64_t>(random_());
      case AttributeType::kFloat:
        return below(9) == 0 ? std::numeric_limits<float>::quiet_NaN()
                             : static_cast<float>(static_cast<int32_t>(random_())) / 7;
      case AttributeType::kDouble:
        return below(9) == 0 ? -0.0 : static_cast<double>(static_cast<int64_t>(random_())) / 7;
      case AttributeType::kBool:
        return below(2) == 0;
      case AttributeType::kString:
        return text(kTextBytes[below(5)]);
      case AttributeType::kObject:
        return object(below(4));
    }
    return {};
  }

  /// A plain value, or lists, sets and maps within each other.
  Value object(uint64_t depth) {
    if (depth == 0) return value(static_cast<AttributeType>(1 + below(6)));
    std::vector<std::string> kept;
    for (uint64_t i = 2 * below(4); i > 0; --i) kept.push_back(encode_object(object(depth - 1)));
    std::vector<std::string_view> parts(kept.begin(), kept.end());
    switch (below(3)) {
      case 0:
        return ObjectValue{*make_list(parts)};
      case 1:
        return ObjectValue{*make_set(parts)};
      default:
        std::vector<ObjectPair> pairs;
        for (size_t i = 0; i < parts.size(); i += 2) pairs.emplace_back(parts[i], parts[i + 1]);
        return ObjectValue{*make_map(std::move(pairs))};
    }
  }

  static constexpr uint64_t kTextBytes[] = {0, 11, 12, 13, 400};
  std::mt19937_64 random_;
};

}  // namespace pollux
