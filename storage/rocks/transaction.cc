#include "storage/rocks/transaction.h"

#include <rocksdb/comparator.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <string>

#include "storage/rocks/layout.h"

namespace pollux::rocks {
namespace {

/// A family by its number alone, which is all that a batch keeps of it. A handle of RocksDB's would
/// not outlive a database that is opened anew, which a commit may have to do first.
class NumberedFamily : public rocksdb::ColumnFamilyHandle {
 public:
  explicit NumberedFamily(uint32_t number) : number_(number) {}

  const std::string& GetName() const override { return name_; }
  uint32_t GetID() const override { return number_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override {
    return rocksdb::Status::NotSupported();
  }
  const rocksdb::Comparator* GetComparator() const override {
    return rocksdb::BytewiseComparator();
  }

 private:
  const uint32_t number_;
  const std::string name_{kMarksFamily};
};

}  // namespace

Transaction::Transaction(uint32_t marks_family)
    : marks_(std::make_unique<NumberedFamily>(marks_family)),
      batch_(std::make_unique<rocksdb::WriteBatch>()) {}

Transaction::~Transaction() = default;

void Transaction::put(std::string_view key, std::string_view value) {
  batch_->Put(family_of(key), key, value);
}

void Transaction::erase(std::string_view key) { batch_->Delete(family_of(key), key); }

void Transaction::erase_range(std::string_view begin, std::string_view end) {
  batch_->DeleteRange(family_of(begin), begin, end);
}

size_t Transaction::bytes() const { return batch_->GetDataSize(); }

void Transaction::clear() { batch_->Clear(); }

rocksdb::ColumnFamilyHandle* Transaction::family_of(std::string_view key) const {
  return is_mark(key) ? marks_.get() : nullptr;
}

}  // namespace pollux::rocks
