#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"
#include "tools/console/command_line.h"
#include "train/trainer.h"

namespace millrace {

/// What the trainer was asked to do.
struct Options {
  enum class Action { kTrain, kHelp, kVersion };

  Action action = Action::kTrain;
  std::string help;                              ///< the text that kHelp asks for
  RunSpec run;                                   ///< but for validation and its size
  std::optional<std::uint64_t> validation_size;  ///< none: default_validation_size()
  std::filesystem::path data = "data";
  Task task = Task::kClassification;  ///< what labels in `data` are
  ImageOptions images;                ///< how images in `data` are read
  std::string label_column;           ///< of CSV in `data`; empty: see ReadTableOptions
  TableOptions table;                 ///< likewise
  std::string download;               ///< a data set to fetch into `data` first; empty: none
  std::filesystem::path quarantine;   ///< of bad samples; empty: beside checkpoints, if there are
  std::filesystem::path metrics;      ///< empty: none
  std::filesystem::path tensorboard;  ///< folder; empty: none
  std::filesystem::path report;       ///< empty: none
  std::filesystem::path trace;        ///< empty: none
  /// Runs: their seeds follow that of `run`, or, where that has folds, they are one a fold.
  std::uint64_t repeat = 1;
  bool force = false;         ///< checkpoints of another run may be replaced
  bool window_given = false;  ///< of a stream, by --shuffle-window
  bool quiet = false;
  std::vector<std::string> notes;  ///< lines that the user should know
  /// What the command line and the config file said, by the options' names: {"--lr", "0.1"}.
  std::map<std::string, std::string> given = {};
};

/// Reads the trainer's arguments (without the program's name) and the config file they name. Throws
/// UsageError with one line that names the option, what was expected and what was found, DataError
/// if the config file cannot be read.
Options parse_options(const std::vector<std::string>& arguments);

/// Reads the arguments of a command that takes the trainer's options behind those that `line` has,
/// each by itself: what they come to together is for parse_options() to say. False where they ask
/// for help. Throws UsageError.
bool parse_beside(CommandLine& line, const std::vector<std::string>& arguments);

/// Samples kept for validation where nobody said how many: 10,000, a sixth of a smaller data set.
std::uint64_t default_validation_size(std::uint64_t samples) noexcept;

/// The command that goes on with a run that was started with `arguments` (the program's name
/// first) and has a checkpoint folder, quoted for a shell: what --resume named makes way for the
/// newest checkpoint, and nothing is replaced by --force again.
std::string resume_command(const std::vector<std::string>& arguments);

}  // namespace millrace
