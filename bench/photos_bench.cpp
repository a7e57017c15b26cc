// How many photos of a folder a core decodes, resizes and packs into chunks in a second of its
// time, as a worker of the loader does it. bench/loaders.py holds it against the loaders of others.
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "formats/image_folder.h"
#include "loader/chunk_cursor.h"
#include "loader/chunk_filler.h"
#include "loader/loader.h"

namespace millrace {
namespace {

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

nlohmann::ordered_json measure(const std::string& folder, std::uint32_t side, double seconds) {
  LoaderSpec spec;
  const auto photos = std::make_shared<ImageFolder>(
      folder, ImageOptions{.resize = ImageSize{side, side}, .channels = ImageChannels::kRgb});
  spec.data = photos;
  spec.subset = Subset::all(photos->size());
  spec.kind = ChunkKind::kPacked;
  spec.batch = 32;
  spec.chunk_batches = 4;
  ChunkCursor cursor({spec.subset.size(), spec.batch, spec.chunk_batches, 1'000'000}, {});
  ChunkFiller filler(spec);
  ChunkSlot slot = filler.make_slot(pageable_memory());
  std::uint64_t done = 0;
  double passed = 0.0;
  for (double start = -1.0; passed < seconds;) {
    const std::uint32_t parts = filler.prepare(slot, *cursor.next());
    for (std::uint32_t part = 0; part < parts; ++part) filler.fill(slot, part);
    if (start < 0.0) {  // the first one brought the files into memory
      start = thread_seconds();
      continue;
    }
    done += slot.plan.count;
    passed = thread_seconds() - start;
  }
  return {{"bench", "photos"},
          {"photos", photos->size()},
          {"side", side},
          {"photos_per_core_s", static_cast<double>(done) / passed}};
}

// Two classes of a few pictures, for a run that shows that everything works.
void draw_pictures(const std::filesystem::path& folder) {
  constexpr int kWidth = 120;
  constexpr int kHeight = 90;
  for (const char* name : {"dark", "light"}) {
    std::filesystem::create_directories(folder / name);
    const char pixel = std::string_view(name) == "dark" ? '\x20' : '\x70';
    for (int i = 0; i < 4; ++i) {
      std::ofstream file(folder / name / (std::to_string(i) + ".ppm"), std::ios::binary);
      file << "P6\n" << kWidth << ' ' << kHeight << "\n255\n";
      file << std::string(std::size_t{3} * kWidth * kHeight, static_cast<char>(pixel + i));
    }
  }
}

nlohmann::ordered_json smoke() {
  std::string folder = (std::filesystem::temp_directory_path() / "millrace-photos-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + folder);
  draw_pictures(folder);
  auto found = measure(folder, 16, 0.01);
  std::filesystem::remove_all(folder);
  return found;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  CLI::App app{"Photos decoded into chunks by one core"};
  std::string folder;
  std::uint32_t side = 64;
  double seconds = 2.0;
  app.add_option("--data", folder, "Folder with a sub-folder of photos for each class");
  app.add_option("--side", side, "Pixels of the squares they become")->check(CLI::Range(1, 4096));
  app.add_option("--seconds", seconds, "Time of the core, about")->check(CLI::PositiveNumber);
  bool smoke = false;
  app.add_flag("--smoke", smoke, "Only show that it runs, on pictures of its own");
  CLI11_PARSE(app, argc, argv);
  if (!smoke && folder.empty()) return app.exit(CLI::RequiredError("--data"));
  const auto found = smoke ? millrace::smoke() : millrace::measure(folder, side, seconds);
  std::printf("%s\n", found.dump().c_str());
  return 0;
}
