#include "engine/base/string_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pollux {
namespace {

StringRef stored(StringPool& pool, const std::string& text) { return pool.store(StringRef(text)); }

TEST(StringPool, KeepsStringsOfAllLengthsUntilTheyAreGivenBack) {
  StringPool pool;
  std::vector<std::string> texts;
  for (size_t length : {0, 1, 12, 13, 511, 512, 513, 100000}) texts.emplace_back(length, 'a');
  std::vector<StringRef> kept;
  for (const std::string& text : texts) kept.push_back(stored(pool, text));
  EXPECT_GE(pool.bytes_live(), size_t{100000 + 513 + 512 + 511 + 13});
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(kept[i].view(), texts[i]);
  for (const StringRef& text : kept) pool.release(text);
  EXPECT_EQ(pool.bytes_live(), 0u);
}

// What is not given back goes with the pool: the leak checker of the sanitized build watches.
TEST(StringPool, LongStringsGoWithThePool) {
  StringPool pool;
  StringRef first = stored(pool, std::string(600, 'a'));
  StringRef second = stored(pool, std::string(700, 'b'));
  StringRef third = stored(pool, std::string(800, 'c'));
  pool.release(second);
  pool.release(third);
  stored(pool, std::string(900, 'd'));
  EXPECT_EQ(first.view(), std::string(600, 'a'));
}

}  // namespace
}  // namespace pollux
