// Comparing entries and batches value by value, in tests.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "engine/runtime/entry.h"
#include "engine/types/object_value.h"

namespace pollux {

/// Bit by bit: a NaN equals itself, and -0.0 is not 0.0.
inline void expect_same(const EventBatch& one, const EventBatch& other) {
  EXPECT_EQ(one.schema().name(), other.schema().name());
  ASSERT_TRUE(one.schema().same_attributes(other.schema()));
  EXPECT_EQ(one.one_chunk(), other.one_chunk());
  ASSERT_EQ(one.timestamps(), other.timestamps());
  for (size_t c = 0; c < one.schema().size(); ++c) {
    ASSERT_EQ(one.column(c).size(), other.column(c).size());
    for (uint32_t row = 0; row < one.rows(); ++row) {
      ASSERT_EQ(one.column(c).is_null(row), other.column(c).is_null(row)) << c << ' ' << row;
      ASSERT_EQ(encode_object(one.value(row, c)), encode_object(other.value(row, c)))
          << c << ' ' << row;
    }
  }
}

inline void expect_same(const Entry& one, const Entry& other) {
  EXPECT_EQ(one.id, other.id);
  EXPECT_EQ(one.timestamp, other.timestamp);
  ASSERT_EQ(one.type(), other.type());
  if (const auto* events = std::get_if<EventsPayload>(&one.payload)) {
    const auto& others = std::get<EventsPayload>(other.payload);
    EXPECT_EQ(events->producer, others.producer);
    EXPECT_EQ(events->number, others.number);
    expect_same(*events->batch, *others.batch);
    ASSERT_EQ(events->found.size(), others.found.size());
    for (size_t i = 0; i < events->found.size(); ++i) {
      EXPECT_EQ(events->found[i].table, others.found[i].table);
      expect_same(*events->found[i].rows, *others.found[i].rows);
    }
  } else if (const auto* deploy = std::get_if<DeployPayload>(&one.payload)) {
    const auto& others = std::get<DeployPayload>(other.payload);
    EXPECT_EQ(deploy->plan, others.plan);
    EXPECT_EQ(deploy->text, others.text);
    EXPECT_EQ(deploy->semantics_version, others.semantics_version);
    EXPECT_EQ(deploy->dialect, others.dialect);
    EXPECT_EQ(deploy->source, others.source);
    EXPECT_EQ(deploy->origin, others.origin);
    EXPECT_EQ(deploy->replace, others.replace);
    ASSERT_EQ(deploy->stored.size(), others.stored.size());
    for (size_t i = 0; i < deploy->stored.size(); ++i) {
      const StoredRows& rows = deploy->stored[i];
      const StoredRows& other_rows = others.stored[i];
      EXPECT_EQ(rows.stream, other_rows.stream);
      EXPECT_EQ(rows.from_ms, other_rows.from_ms);
      ASSERT_EQ(rows.batches.size(), other_rows.batches.size());
      for (size_t b = 0; b < rows.batches.size(); ++b) {
        expect_same(*rows.batches[b], *other_rows.batches[b]);
      }
    }
  } else if (const auto* undeploy = std::get_if<UndeployPayload>(&one.payload)) {
    EXPECT_EQ(undeploy->plan, std::get<UndeployPayload>(other.payload).plan);
  } else if (const auto* write = std::get_if<WritePayload>(&one.payload)) {
    EXPECT_EQ(write->plan, std::get<WritePayload>(other.payload).plan);
    EXPECT_EQ(write->text, std::get<WritePayload>(other.payload).text);
  } else if (const auto* epoch = std::get_if<EpochBeginPayload>(&one.payload)) {
    EXPECT_EQ(epoch->node, std::get<EpochBeginPayload>(other.payload).node);
  }
}

}  // namespace pollux
