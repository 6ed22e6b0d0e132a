#include <fcntl.h>
#include <sys/mount.h>

#include "tests/server/publishers/sink_testing.h"

namespace pollux {
namespace {

std::string file_sink(const std::string& path, const std::string& more = "") {
  return "@sink(type='file', path='" + path + "', retry.min='1 ms', retry.max='10 ms'" + more + ")";
}

std::string line_of(const std::string& id, const std::string& name, int n) {
  return R"({"stream":"Out","timestamp":1000,"id":"-1234/P/)" + id + R"(","data":{"name":")" +
         name + R"(","n":)" + std::to_string(n) + "}}";
}

using FileSinkTest = SinkTest;

TEST_F(FileSinkTest, appends_json_lines) {
  deploy_sinks(file_sink(folder_ / "out.jsonl", ", fsync='true'"));
  ASSERT_TRUE(send("a\n\"b\"", 1).ok());
  ASSERT_TRUE(send("c", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 2; }));
  EXPECT_EQ(
      lines_of(folder_ / "out.jsonl"),
      (std::vector<std::string>{line_of("1.2.0", R"(a\n\"b\")", 1), line_of("1.3.0", "c", 2)}));
}

TEST_F(FileSinkTest, a_torn_line_of_ours_is_cut) {
  std::ofstream(folder_ / "out") << line_of("1.1.0", "x", 0) << "\n{\"stream\":\"Out\",\"times";
  deploy_sinks(file_sink(folder_ / "out"));
  ASSERT_TRUE(send("c", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(lines_of(folder_ / "out"),
            (std::vector<std::string>{line_of("1.1.0", "x", 0), line_of("1.2.0", "c", 2)}));
}

TEST_F(FileSinkTest, a_last_line_of_others_is_ended) {
  std::ofstream(folder_ / "out") << "no line end";
  deploy_sinks(
      file_sink(folder_ / "out", ", @map(type='text', @payload(\"\"\"{{name}}\n={{n}}\"\"\"))"));
  ASSERT_TRUE(send("c", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(content_of(folder_ / "out"), "no line end\nc =2\n");
}

TEST_F(FileSinkTest, a_missing_folder_is_waited_for) {
  deploy_sinks(file_sink(folder_ / "sub/out", ", retry.attempts='0'"));
  ASSERT_TRUE(send("c", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().state == SinkState::kRetrying; }));
  std::filesystem::create_directory(folder_ / "sub");
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(lines_of(folder_ / "sub/out").size(), 1U);
}

TEST_F(FileSinkTest, a_file_that_is_moved_away_is_made_anew) {
  deploy_sinks(file_sink(folder_ / "out"));
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  std::filesystem::rename(folder_ / "out", folder_ / "out.1");
  ASSERT_TRUE(send("b", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 2; }));
  EXPECT_EQ(lines_of(folder_ / "out"), std::vector<std::string>{line_of("1.3.0", "b", 2)});
}

TEST_F(FileSinkTest, two_sinks_do_not_write_one_file) {
  deploy_sinks(file_sink(folder_ / "out") + file_sink(folder_ / "out", ", retry.attempts='0'"));
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(soon([&] {
    return (counts(0).last_error + counts(1).last_error).find("another sink") != std::string::npos;
  }));
  EXPECT_EQ(lines_of(folder_ / "out").size(), 1U);
}

TEST_F(FileSinkTest, a_full_disk_is_waited_for_and_leaves_whole_lines) {
  if (::geteuid() != 0) GTEST_SKIP() << "a full disk is made by mounting one, as root";
  std::string disk = folder_ / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "cannot mount a disk: " << ::strerror(errno);
  }
  std::ofstream(disk + "/filler") << std::string(50'000, 'x');
  deploy_sinks(file_sink(disk + "/out", ", retry.attempts='0'"));
  std::string large(3000, 'y');
  for (int64_t n = 0; n < 10; ++n) ASSERT_TRUE(send(large, n).ok());
  ASSERT_TRUE(soon([&] { return counts().state == SinkState::kRetrying; }));
  EXPECT_NE(counts().last_error.find("No space"), std::string::npos) << counts().last_error;
  std::string so_far = content_of(disk + "/out");
  EXPECT_TRUE(so_far.empty() || so_far.back() == '\n');
  std::filesystem::remove(disk + "/filler");
  EXPECT_TRUE(soon([&] { return counts().published == 10; }));
  EXPECT_EQ(lines_of(disk + "/out").size(), 10U);
  EXPECT_EQ(counts().dropped, 0U);
  sinks_->stop();
  sinks_ = std::make_unique<SinkManager>(environment());  // the file is closed
  node_.reset();
  node_ = std::make_unique<Node>(NodeOptions{});
  EXPECT_EQ(::umount(disk.c_str()), 0) << ::strerror(errno);
}

TEST_F(FileSinkTest, log_sinks_give_lines) {
  deploy_sinks("@sink(type='log', prefix='ALERT ', @map(type='text', @payload('{{name}}')))");
  ASSERT_TRUE(send("two\nlines", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  std::lock_guard lock(mutex_);
  EXPECT_EQ(logged_, std::vector<std::string>{"ALERT two lines"});
}

}  // namespace
}  // namespace pollux
