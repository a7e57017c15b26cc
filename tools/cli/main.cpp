#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/cli/commands.h"
#include "tools/console/numbers.h"
#include "tools/console/program.h"
#include "tools/console/suggestion.h"
#include "tools/console/usage_error.h"
#include "tools/console/version.h"

namespace {

using namespace millrace;

constexpr const char* kHelp =
    "Usage: tools COMMAND [OPTIONS]\n"
    "\n"
    "Commands:\n"
    "  synth OUT        draws a data set of handwritten-like digits\n"
    "  inspect PATH     says what a data folder, IDX or safetensors file holds\n"
    "\n"
    "Options:\n"
    "  --version        print versions and instruction sets\n"
    "  -h, --help       print this; tools COMMAND --help prints a command's options\n";

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) throw UsageError("expected a command, found none");
  const std::string& command = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "--help" || command == "-h" || command == "help") return print(kHelp);
  if (command == "--version") return print(version_text("tools"));
  if (command == "synth") return run_program("tools synth", [&] { return synth_command(rest); });
  if (command == "inspect") {
    return run_program("tools inspect", [&] { return inspect_command(rest); });
  }
  const std::array<std::string, 4> known{"synth", "inspect", "--help", "--version"};
  const auto meant = nearest(command, known);
  throw UsageError("unknown command " + shown(command) +
                   (meant ? "; did you mean " + *meant + "?" : std::string()));
}

}  // namespace

int main(int argc, char** argv) {
  return millrace::run_program(
      "tools", [&] { return dispatch(std::vector<std::string>(argv + 1, argv + argc)); });
}
