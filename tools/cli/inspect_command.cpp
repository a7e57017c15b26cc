#include <nlohmann/json.hpp>

#include "formats/json_text.h"
#include "tools/cli/commands.h"
#include "tools/cli/inspect.h"
#include "tools/console/command_line.h"
#include "tools/console/console.h"
#include "tools/console/image_options.h"
#include "tools/console/label_column.h"
#include "tools/console/program.h"
#include "tools/console/table_options.h"
#include "tools/console/task_option.h"
#include "tools/console/usage_error.h"

namespace millrace {

int inspect_command(const std::vector<std::string>& arguments) {
  CommandLine line("tools inspect",
                   "Says what a data set, an IDX file or a safetensors file holds: shapes, types,\n"
                   "samples of each class or what targets are like, range, mean and standard\n"
                   "deviation, how it is stored.");
  std::string path;
  ImageArguments images;
  OpenOptions options;
  bool json = false;
  line.positional("PATH", "folder or file to look at", path);
  declare_images(line, images);
  declare_stored_task(line, options.task);
  declare_label_column(line, options.label_column);
  declare_table(line, options.table);
  line.flag("--json", "print one JSON object in place of text", json);
  line.help_flag();
  line.examples("Example:\n  tools inspect checkpoints/best.safetensors");
  if (!line.parse(arguments)) return print(line.help());
  if (path.empty()) throw UsageError("expected a folder or file to look at, found none");
  Console console("tools inspect", false);
  options.image = images.options();
  const auto found = inspect(path, options, [&](std::uint64_t done, std::uint64_t all) {
    console.progress({"Inspecting",
                      static_cast<double>(done) / static_cast<double>(all),
                      {render_count(static_cast<double>(done)) + " samples"}});
  });
  console.clear_progress();
  if (!json) return print(render_inspection(found));
  return print(json_line(found) + '\n');
}

}  // namespace millrace
