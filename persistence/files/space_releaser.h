// Gives the disk back what large files take that have lost their names.
//
// Their last close is what does it, and takes milliseconds a file: whoever removes one and has no
// time for that leaves the closing to this one's thread. Whoever else has the file open still reads
// all of it. Thread: any. Destruction waits until all is free.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace pollux {

class SpaceReleaser {
 public:
  SpaceReleaser() = default;
  ~SpaceReleaser();
  SpaceReleaser(const SpaceReleaser&) = delete;
  SpaceReleaser& operator=(const SpaceReleaser&) = delete;

  /// Takes over an open file.
  void take(int file);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> files_;
  bool stopping_ = false;
  std::thread thread_;  ///< from the first file on
};

}  // namespace pollux
