#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/console/config_file.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace millrace {

/// The options of a program or a sub-command: CLI11 with errors of one line that say what was
/// expected and found, and which option somebody probably meant.
///
/// Of an option that is given twice the last one counts.
class CommandLine {
 public:
  /// Takes a value, and throws UsageError with "expected …, found …" if it is none.
  using Take = std::function<void(const std::string&)>;

  /// `program` as users call it: "trainer", "tools synth".
  CommandLine(std::string program, const std::string& description);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  /// Options declared after this stand under this heading in the help.
  void group(std::string heading) { group_ = std::move(heading); }
  /// An option with a value: value("--batch", "N", "samples of a step", take).
  void value(const std::string& name, const std::string& meta, const std::string& help, Take take);
  /// The same where the value may be left out; `take` then gets an empty text.
  void optional_value(const std::string& name, const std::string& meta, const std::string& help,
                      Take take);
  void flag(const std::string& name, const std::string& help, bool& target);
  /// An argument without a name; `target` stays as it is where it is missing.
  void positional(const std::string& name, const std::string& help, std::string& target);
  /// All the arguments without a name; only where there is no positional().
  void positionals(const std::string& name, const std::string& help,
                   std::vector<std::string>& target);
  /// -h and --help, as the last option of the group.
  void help_flag() { flag("-h,--help", "print this", asked_for_help_); }
  /// Text under the options in the help.
  void examples(const std::string& text);

  /// False where `arguments` (without the program's name) ask for --help, or -h: then nothing else
  /// of them is read, for whoever asks for help beside a mistake wants help. Throws UsageError.
  bool parse(std::vector<std::string> arguments);
  /// Applies entries of a config file where the command line had no such option. A flag takes true
  /// or false, an optional value true, false or the value. Keys in `refused` count as unknown.
  /// Throws UsageError naming file and line.
  void apply(const std::string& file, std::span<const ConfigEntry> entries,
             std::span<const std::string> refused);

  /// The heading that an option was declared under. Throws UsageError for one that was not.
  std::string group_of(const std::string& name) const;
  /// What parse() took, "--lr=0.1" in two words, without the options `names` and their values and
  /// without arguments that have no name.
  std::vector<std::string> words_without(std::span<const std::string> names) const;
  /// The options that the command line or a config file had, and what they said.
  std::map<std::string, std::string> values() const;

  /// Whether the command line or a config file had the option: given("--gamma").
  bool given(const std::string& name) const;
  /// The entry of a config file that the command line's own value stands in for; null where there
  /// is none.
  const ConfigEntry* overruled(const std::string& name) const;
  /// How messages name an option: "--gamma", or "run.toml:3: gamma" where a config file had it.
  std::string place(const std::string& name) const;

  /// To be called for an option that does nothing because of what `cause` is. Where it was given,
  /// throws UsageError: "--gamma: expected --schedule step with it, found cosine". But what a
  /// config file says may be overruled: if it had the option, and the command line the cause, that
  /// is a line of notes(), and the option to be taken for not given.
  void refuse_idle(const std::string& name, const std::string& cause, const std::string& expected,
                   const std::string& found);
  /// Throws UsageError where both were given: "--gray and --rgb: expected one of them, found both".
  void refuse_both(const std::string& one, const std::string& other) const;
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// A line that the user should know, after the others.
  void note(std::string line) { notes_.push_back(std::move(line)); }

  std::string help() const;

 private:
  CLI::Option* declare(CLI::Option* option, const std::string& meta);
  std::vector<std::string> split_values(const std::vector<std::string>& arguments) const;
  bool takes_value(std::string_view name) const;
  [[noreturn]] void refuse_extra(const std::string& argument) const;
  [[noreturn]] void refuse_unknown(const std::string& name) const;
  std::vector<std::string> names() const;

  std::map<std::string, std::string> in_config_;  // names: how place() calls them
  std::map<std::string, ConfigEntry> overruled_;
  std::vector<std::string> notes_;
  std::vector<std::string> words_;  // of the command line
  std::string group_ = "Options";
  bool asked_for_help_ = false;
  std::unique_ptr<CLI::App> app_;  // one file alone reads CLI11
};

}  // namespace millrace
