// What every arbiter promises, as tests that run against each store that can hold its record.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "ha/arbiter/arbiter.h"

namespace pollux {

/// A store that arbiters of several clients stand on. Lives as long as the process.
class ArbiterStore {
 public:
  virtual ~ArbiterStore() = default;
  /// A client of its own, of a domain of that name.
  virtual std::unique_ptr<Arbiter> client(const ArbiterOptions& options) = 0;
};

/// Starts the store when it is asked for first.
struct ArbiterStoreParam {
  std::string name;
  std::function<ArbiterStore&()> store;
};

inline void PrintTo(const ArbiterStoreParam& param, std::ostream* out) { *out << param.name; }

inline std::string name_of(const ::testing::TestParamInfo<ArbiterStoreParam>& info) {
  return info.param.name;
}

/// Each test has a domain of its own.
class ArbiterContract : public ::testing::TestWithParam<ArbiterStoreParam> {
 protected:
  std::unique_ptr<Arbiter> client(const std::string& domain_suffix = "");
  ArbiterOptions options(const std::string& domain_suffix = "") const;
};

}  // namespace pollux
