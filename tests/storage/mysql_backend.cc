#include "storage/mysql_store.h"
#include "tests/storage/mysql_testing.h"
#include "tests/storage/store_backend.h"

namespace pollux::testing {
namespace {

class MysqlHome : public StoreHome {
 public:
  std::unique_ptr<RecordStore> open() override {
    auto store = open_mysql_store(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

 private:
  MysqlStoreOptions options_ = new_database(mariadb_server());
};

}  // namespace

const StoreBackend& store_backend() {
  static const StoreBackend kBackend{
      []() -> std::unique_ptr<StoreHome> { return std::make_unique<MysqlHome>(); },
      std::string("\0\x01\t\r\n\\N\\.\"'`; DROP TABLE \xc3\xa9\xf0\x9f\x98\x80 ", 33),
      {std::string(1, '\0'), "\xc3\xa9", " ", "A"},
      false};
  return kBackend;
}

}  // namespace pollux::testing
