#include "server/pair/snapshot/snapshot_fetch.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/crc32c.h"
#include "persistence/files/large_file.h"
#include "snapshot.grpc.pb.h"

namespace pollux {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kFirstWait{100};
constexpr Milliseconds kLongestWait{10'000};
constexpr std::chrono::seconds kTakePatience{120};
/// A read that brings nothing for so long is broken off: the connection's keepalive.
constexpr int kKeepaliveMs = 2'000;
constexpr size_t kFilesMax = 1'000'000;
constexpr uint64_t kRoomToSpare = uint64_t{64} << 20;

absl::Status from_grpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

absl::Status distrusted(const std::string& what) {
  return absl::DataLossError(absl::StrCat("the other node sent a snapshot that is none: ", what));
}

}  // namespace

/// The other node's server.
class SnapshotFetch::Client {
 public:
  explicit Client(const std::string& where) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
    stub_ = snapshot::v1::Snapshots::NewStub(
        grpc::CreateCustomChannel(where, grpc::InsecureChannelCredentials(), arguments));
  }

  absl::Status take(const Options& options, snapshot::v1::Manifest& manifest) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kTakePatience);
    snapshot::v1::TakeRequest request;
    request.set_domain(options.domain);
    request.set_node(options.node);
    return from_grpc(stub_->Take(&context, request, &manifest));
  }

  /// Hands over pieces until `piece` is false.
  absl::Status read(const std::string& id, const std::string& path, uint64_t offset,
                    const std::function<absl::Status(const snapshot::v1::Piece&)>& take_piece) {
    grpc::ClientContext context;
    snapshot::v1::ReadRequest request;
    request.set_id(id);
    request.set_path(path);
    request.set_offset(offset);
    auto reader = stub_->Read(&context, request);
    snapshot::v1::Piece piece;
    absl::Status taken;
    while (taken.ok() && reader->Read(&piece)) taken = take_piece(piece);
    if (!taken.ok()) context.TryCancel();
    absl::Status ended = from_grpc(reader->Finish());
    return taken.ok() ? ended : taken;
  }

 private:
  std::unique_ptr<snapshot::v1::Snapshots::Stub> stub_;
};

SnapshotFetch::SnapshotFetch(FileSystem& files, SnapshotFolder folder, Options options)
    : files_(files), folder_(std::move(folder)), options_(std::move(options)) {
  thread_ = std::thread([this] { run(); });
}

SnapshotFetch::~SnapshotFetch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

/// False: the end.
bool SnapshotFetch::wait(Milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_.load(); });
}

void SnapshotFetch::run() {
  Milliseconds pause = kFirstWait;
  while (!stopping_) {
    const uint64_t before = bytes_got_;
    absl::Status fetched = fetch();
    if (stopping_) return;
    if (fetched.ok()) return options_.done(at_, bytes_got_);
    // Of a snapshot that is no more, or was none, nothing can be used.
    if (!absl::IsUnavailable(fetched) && !absl::IsDeadlineExceeded(fetched)) id_.clear();
    options_.trouble(fetched);
    pause = bytes_got_ > before ? kFirstWait : std::min(2 * pause, kLongestWait);
    if (!wait(pause)) return;
  }
}

absl::Status SnapshotFetch::fetch() {
  const std::string where = options_.where();
  if (where.empty()) return absl::UnavailableError("the other node is not there");
  Client client(where);
  if (id_.empty()) {
    snapshot::v1::Manifest manifest;
    if (absl::Status taken = client.take(options_, manifest); !taken.ok()) return taken;
    if (absl::Status cleared = folder_.clear(); !cleared.ok()) return cleared;
    if (manifest.files_size() > static_cast<int>(kFilesMax)) return distrusted("too many files");
    wanted_.clear();
    uint64_t all = 0;
    for (const auto& file : manifest.files()) {
      if (!SnapshotFolder::is_path(file.path())) return distrusted("path '" + file.path() + "'");
      wanted_.push_back({file.path(), file.bytes()});
      all += file.bytes();
    }
    auto free = files_.free_bytes(folder_.incoming());
    if (!free.ok()) return free.status();
    if (*free < kRoomToSpare || all > *free - kRoomToSpare) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the snapshot has ", all, " bytes, and the disk has room for ", *free));
    }
    if (manifest.position() == 0 || manifest.id().empty()) return distrusted("no entry");
    id_ = manifest.id();
    at_ = {{manifest.epoch()}, {manifest.position()}};
    next_file_ = 0;
  }
  if (absl::Status got = fetch_files(client); !got.ok()) return got;
  return folder_.complete(at_);
}

absl::Status SnapshotFetch::fetch_files(Client& client) {
  for (; next_file_ < wanted_.size(); ++next_file_) {
    if (absl::Status got = fetch_file(client, wanted_[next_file_]); !got.ok()) return got;
  }
  return absl::OkStatus();
}

/// From where it was cut.
absl::Status SnapshotFetch::fetch_file(Client& client, const SnapshotFile& file) {
  const std::string path = absl::StrCat(folder_.incoming(), "/", file.path);
  const std::string directory = std::filesystem::path(path).parent_path();
  if (absl::Status made = files_.make_directories(directory); !made.ok()) return made;
  auto opened = files_.open_append(path);
  if (!opened.ok()) return opened.status();
  std::unique_ptr<AppendFile> out = as_large_file(*std::move(opened));
  absl::Status got =
      client.read(id_, file.path, out->size(), [&](const snapshot::v1::Piece& piece) {
        if (stopping_) return absl::CancelledError("the node stops");
        if (crc32c(piece.data()) != piece.crc32c()) return distrusted("a piece that has rotted");
        if (piece.data().size() > file.bytes - out->size()) {
          return distrusted("a file that is longer than was said");
        }
        bytes_got_ += piece.data().size();
        return out->append(piece.data());
      });
  if (!got.ok()) return got;
  if (out->size() != file.bytes) return absl::UnavailableError("a file ended early");
  if (absl::Status synced = out->sync(); !synced.ok()) return synced;
  return files_.sync_directory(directory);
}

}  // namespace pollux
