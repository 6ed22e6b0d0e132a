#include "ha/arbiter/file_arbiter.h"
#include "tests/ha/arbiter/arbiter_contract.h"
#include "tests/support/temp_folder.h"

namespace pollux {
namespace {

class FileStore : public ArbiterStore {
 public:
  std::unique_ptr<Arbiter> client(const ArbiterOptions& options) override {
    auto arbiter = make_file_arbiter(options, folder_.path());
    EXPECT_TRUE(arbiter.ok()) << arbiter.status();
    return *std::move(arbiter);
  }

 private:
  TempFolder folder_;
};

ArbiterStore& file_store() {
  static FileStore store;
  return store;
}

INSTANTIATE_TEST_SUITE_P(File, ArbiterContract,
                         ::testing::Values(ArbiterStoreParam{"file", file_store}), name_of);

}  // namespace
}  // namespace pollux
