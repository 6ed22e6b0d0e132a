#include <gtest/gtest.h>

#include "ha/arbiter/arbiter.h"

namespace pollux {
namespace {

ArbiterOptions named(std::string name) {
  ArbiterOptions options;
  options.domain_name = std::move(name);
  return options;
}

TEST(ArbiterOptions, TakesNamesThatAreGoodForFoldersRowsAndKeys) {
  for (const char* name : {"a", "cep.example-domain_1", "0", "Pair..x"}) {
    EXPECT_TRUE(check_arbiter_options(named(name)).ok()) << name;
  }
  EXPECT_TRUE(check_arbiter_options(named(std::string(kDomainNameMax, 'x'))).ok());
}

TEST(ArbiterOptions, RefusesOthersAndSaysWhatWouldDo) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("../a"),
        std::string("-rf"), std::string("a b"), std::string("pair\0x", 6), std::string("pair\n"),
        std::string("p\xE4r"), std::string(kDomainNameMax + 1, 'x')}) {
    absl::Status status = check_arbiter_options(named(name));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(std::string(status.message()).find("begin with a letter"), std::string::npos);
  }
}

TEST(ArbiterOptions, TimeoutsHaveBounds) {
  ArbiterOptions options = named("pair");
  for (int64_t timeout : {int64_t{0}, int64_t{-1}, kArbiterTimeoutMaxMs + 1}) {
    options.timeout_ms = timeout;
    EXPECT_EQ(check_arbiter_options(options).code(), absl::StatusCode::kInvalidArgument);
  }
  options.timeout_ms = kArbiterTimeoutMaxMs;
  EXPECT_TRUE(check_arbiter_options(options).ok());
}

}  // namespace
}  // namespace pollux
