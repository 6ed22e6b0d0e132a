#include "storage/postgres_store.h"
#include "tests/storage/postgres_testing.h"
#include "tests/storage/store_backend.h"

namespace pollux::testing {
namespace {

class PostgresHome : public StoreHome {
 public:
  std::unique_ptr<RecordStore> open() override {
    auto store = open_postgres_store(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

 private:
  PostgresStoreOptions options_ = new_database(postgres_server());
};

}  // namespace

const StoreBackend& store_backend() {
  static const StoreBackend kBackend{
      []() -> std::unique_ptr<StoreHome> { return std::make_unique<PostgresHome>(); },
      "\x01\t\r\n\\N\\.\"'; DROP TABLE \xc3\xa9\xf0\x9f\x98\x80",
      {"\x01", "\xc3\xa9", "'", "a"},
      false};
  return kBackend;
}

}  // namespace pollux::testing
