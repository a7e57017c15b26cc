#include "tools/console/made_folder.h"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "formats/error.h"

namespace millrace {

MadeFolder::MadeFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  made_ = std::filesystem::create_directories(path_, error);
  if (error) throw io_error(path_, "create the folder", error.value());
}

MadeFolder::~MadeFolder() {
  if (made_) ::rmdir(path_.c_str());  // refuses where something is in it
}

}  // namespace millrace
