#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

// A train_victim process, and what it writes to stdout.
class Victim {
 public:
  explicit Victim(const std::filesystem::path& folder) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    // Beside this program, wherever both were copied to.
    std::string program =
        std::filesystem::read_symlink("/proc/self/exe").replace_filename("train_victim").string();
    std::string argument = folder.string();
    std::array<char*, 3> arguments = {program.data(), argument.data(), nullptr};
    const int code =
        ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (code != 0) throw std::runtime_error("cannot start " + program);
  }
  ~Victim() {
    kill();
    ::close(output_);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // False at the end of its output.
  bool read(char& c) const { return ::read(output_, &c, 1) == 1; }

  // The wait status; kills what still runs.
  int kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
      pid_ = -1;
    }
    return status_;
  }
  int wait() {
    ::waitpid(pid_, &status_, 0);
    pid_ = -1;
    return status_;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int status_ = 0;
};

TEST(Kill, AtAnyMomentAndResumedEndsInTheSameBits) {
  const test::TempFolder folder;
  // 12 epochs of 17 steps save 80 times; the victims below see 8 * 5 of them at most.
  std::mt19937 random(20240229);
  for (int victims = 0; victims < 8; ++victims) {
    Victim victim(folder.path());
    char c = 0;
    for (auto saved = 1 + random() % 5; saved > 0; --saved) {
      ASSERT_TRUE(victim.read(c));
      ASSERT_EQ(c, '.');
    }
    // Anywhere between two checkpoints or within the next one.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    ASSERT_TRUE(WIFSIGNALED(victim.kill())) << "it had ended by itself";
  }

  Victim last(folder.path());
  std::string output;
  for (char c = 0; last.read(c);) output += c;
  ASSERT_EQ(last.wait(), 0);
  RunSpec spec = test::small_run();
  spec.epochs = 12;
  EXPECT_EQ(output.substr(output.find_last_of('.') + 1), test::run(spec).weights_hash);
  EXPECT_LT(output.size(), 80U + 32U) << "it did not resume";
  for (const std::string& name : folder.names()) {
    EXPECT_TRUE(name.ends_with(".safetensors") && !name.starts_with('.')) << name << " was left";
  }
}

}  // namespace
}  // namespace millrace
