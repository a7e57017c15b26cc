#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tools/console/console.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/suggestion.h"
#include "tools/console/usage_error.h"
#include "tools/console/version.h"
#include "tools/trainer/commands.h"
#include "tools/trainer/options.h"
#include "tools/trainer/run.h"

namespace {

using namespace millrace;

using Command = int (*)(const std::vector<std::string>&);

struct Named {
  std::string name;
  Command command;
};

// A first argument that is no option names a command; without one the trainer trains.
std::optional<Named> command_of(const std::vector<std::string>& arguments) {
  const std::array<Named, 4> known{{{"evaluate", evaluate_command},
                                    {"export", export_command},
                                    {"predict", predict_command},
                                    {"search", search_command}}};
  if (arguments.size() < 2 || arguments[1].empty() || arguments[1].starts_with('-')) return {};
  std::vector<std::string> names;
  for (const Named& named : known) {
    if (arguments[1] == named.name) return named;
    names.push_back(named.name);
  }
  const auto meant = nearest(arguments[1], names);
  if (!meant) return {};  // refused as an argument too many
  throw UsageError("unknown command " + shown(arguments[1]) + "; did you mean " + *meant + "?");
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("trainer", [&] {
    const std::vector<std::string> arguments(argv, argv + argc);
    if (const auto named = command_of(arguments)) {
      const std::vector<std::string> rest(arguments.begin() + 2, arguments.end());
      return run_program("trainer " + named->name, [&] { return named->command(rest); });
    }
    const Options options = parse_options({arguments.begin() + 1, arguments.end()});
    Console console("trainer", options.quiet);
    switch (options.action) {
      case Options::Action::kHelp:
        return print(options.help);
      case Options::Action::kVersion:
        return print(version_text("trainer"));
      case Options::Action::kTrain:
        break;
    }
    return run(options, arguments, console);
  });
}
