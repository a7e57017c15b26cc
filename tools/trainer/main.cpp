#include <string>
#include <vector>

#include "tools/console/console.h"
#include "tools/console/program.h"
#include "tools/console/version.h"
#include "tools/trainer/options.h"
#include "tools/trainer/run.h"

int main(int argc, char** argv) {
  using namespace millrace;
  return run_program("trainer", [&] {
    const std::vector<std::string> arguments(argv, argv + argc);
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
