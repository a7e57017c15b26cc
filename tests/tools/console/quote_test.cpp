#include "tools/console/quote.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

namespace millrace {
namespace {

// What a real shell makes of `words`.
std::string by_shell(const std::string& words) {
  const std::string command = "printf '%s|' " + words;
  struct Close {
    void operator()(FILE* file) const { ::pclose(file); }
  };
  const std::unique_ptr<FILE, Close> pipe(::popen(command.c_str(), "r"));
  std::string out;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) {
    out += static_cast<char>(c);
  }
  return out;
}

TEST(ShellQuote, LeavesPlainWordsAlone) {
  for (const char* word : {"trainer", "--hidden", "512,512", "../data/mnist", "a=b", "x@y%z:1+2"}) {
    EXPECT_EQ(shell_quote(word), word);
  }
}

TEST(ShellQuote, QuotesWhatAShellWouldTouch) {
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("my data"), "'my data'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote("~/x"), "'~/x'");
  EXPECT_EQ(shell_quote("$HOME"), "'$HOME'");
}

TEST(ShellCommand, ComesBackFromAShellAsItWas) {
  const std::array<std::string, 8> words{"a",       "",          "b c",          "it's \"q\"",
                                         "$(echo)", "new\nline", "back\\slash*", "\xc3\xa4"};
  std::string expected;
  for (const auto& word : words) expected += word + '|';
  EXPECT_EQ(by_shell(shell_command(words)), expected);
}

TEST(OneLine, ShowsControlCharacters) {
  EXPECT_EQ(one_line("a\nb\tc\rd\x1b[1m\x7f"), "a\\nb\\tc\\x0dd\\x1b[1m\\x7f");
  EXPECT_EQ(one_line("\xc3\xa4 plain"), "\xc3\xa4 plain");
}

}  // namespace
}  // namespace millrace
