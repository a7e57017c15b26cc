#include <array>
#include <string>
#include <string_view>
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
    "  inspect PATH     says what a data set, IDX or safetensors file holds\n"
    "  convert IN OUT   writes a data set in another form, also in shards\n"
    "  verify PATH      checks every checksum, count and label of IDX files, shards\n"
    "  repair PATH OUT  writes what can be saved of damaged files and shards anew\n"
    "  preview PATH     shows samples with their labels, as PNG or in the terminal\n"
    "  bench PATH       says how fast a data set loads here, and what bounds it\n"
    "  fetch NAME       downloads mnist, fashion-mnist or kmnist\n"
    "\n"
    "Options:\n"
    "  --version        print versions and instruction sets\n"
    "  -h, --help       print this; tools COMMAND --help prints a command's options\n";

struct Command {
  std::string_view name;
  int (*run)(const std::vector<std::string>& arguments);
};
constexpr std::array kCommands{
    Command{"synth", synth_command},     Command{"inspect", inspect_command},
    Command{"convert", convert_command}, Command{"verify", verify_command},
    Command{"repair", repair_command},   Command{"preview", preview_command},
    Command{"bench", bench_command},     Command{"fetch", fetch_command}};

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) throw UsageError("expected a command, found none");
  const std::string& command = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "--help" || command == "-h" || command == "help") return print(kHelp);
  if (command == "--version") return print(version_text("tools"));
  std::vector<std::string> known{"--help", "--version"};
  for (const auto& [name, run] : kCommands) {
    if (command == name) {
      return run_program("tools " + command, [&, work = run] { return work(rest); });
    }
    known.emplace_back(name);
  }
  const auto meant = nearest(command, known);
  throw UsageError("unknown command " + shown(command) +
                   (meant ? "; did you mean " + *meant + "?" : std::string()));
}

}  // namespace

int main(int argc, char** argv) {
  return millrace::run_program(
      "tools", [&] { return dispatch(std::vector<std::string>(argv + 1, argv + argc)); });
}
