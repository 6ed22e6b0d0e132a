#include "tests/storage/storage_testing.h"
#include "tests/storage/store_backend.h"

namespace pollux::testing {
namespace {

class RocksHome : public StoreHome {
 public:
  std::unique_ptr<RecordStore> open() override {
    return open_or_fail(options_for(directory_ / "store"));
  }

 private:
  TempDirectory directory_;
};

}  // namespace

const StoreBackend& store_backend() {
  static const StoreBackend kBackend{
      []() -> std::unique_ptr<StoreHome> { return std::make_unique<RocksHome>(); },
      std::string("\0\xff\x01\n'; DROP TABLE", 18),
      {std::string(1, '\0'), "\x01", "\xff", "a"},
      true};
  return kBackend;
}

}  // namespace pollux::testing
