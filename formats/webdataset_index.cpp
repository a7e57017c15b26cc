#include "formats/webdataset_index.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/image.h"
#include "formats/in_quotes.h"
#include "formats/run_blocks.h"
#include "formats/tar.h"
#include "formats/text.h"

namespace millrace {
namespace {

constexpr std::string_view kClass = "cls";
constexpr std::string_view kJson = "json";
constexpr std::string_view kNpy = "npy";

/// A member's path, cut where WebDataset cuts it.
struct MemberName {
  std::string_view key;   // with the folders
  std::string_view kind;  // what follows the first '.' of the file's name
};

/// nullopt for hidden files and names without '.'.
std::optional<MemberName> parse_name(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto base = slash == std::string_view::npos ? 0 : slash + 1;
  const auto dot = path.find('.', base);
  if (dot == std::string_view::npos || dot == base) return std::nullopt;
  return MemberName{.key = path.substr(0, dot), .kind = path.substr(dot + 1)};
}

/// A whole number with nothing but blanks and line breaks around it.
std::optional<std::int64_t> parse_class(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// {"label": N, …}.
std::optional<std::int64_t> parse_json_label(std::string_view text) {
  // Without exceptions; a document nested so deep that it would end the stack is none.
  constexpr int kDeepest = 64;
  bool too_deep = false;
  const auto json = nlohmann::json::parse(
      text,
      [&too_deep](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
      },
      false);
  if (too_deep || !json.is_object()) return std::nullopt;
  const auto label = json.find("label");
  if (label == json.end() || !label->is_number_integer()) return std::nullopt;
  if (label->is_number_unsigned()) {
    const auto value = label->get<std::uint64_t>();
    return value > kMostIdxClasses ? std::int64_t{kMostIdxClasses}
                                   : static_cast<std::int64_t>(value);
  }
  return label->get<std::int64_t>();
}

/// Goes through one shard and appends its samples.
class Indexer {
 public:
  Indexer(WebIndex& index, const RandomContent& shard, std::uint32_t number, std::uint32_t limit)
      : index_(index), shard_(shard), number_(number), limit_(limit), content_(shard) {}

  void run() {
    TarReader reader(shard_.path(), content_);
    while (auto member = reader.next()) {
      passed_.reach(member->header_at);
      const auto name = parse_name(member->header.path);
      if (!name) continue;
      const char type = member->header.type;
      if (type == TarHeader::kHardLink || type == TarHeader::kSymbolicLink ||
          type == TarHeader::kSparse)
        leave_out(*member, *name);
      if (type != TarHeader::kRegular) continue;
      if (name->key != key_) {
        finish();
        key_ = name->key;
        if (before_ && parse_name(before_->path)->key == key_) own_ = std::move(before_);
        before_.reset();
      }
      take(*member, *name);
    }
    finish();
  }

 private:
  [[noreturn]] void fail(std::string_view member, std::string_view expected,
                         std::string_view found) const {
    throw DataError(name_within(shard_.path().string(), member), std::nullopt, expected, found);
  }

  void leave_out(const TarMember& member, const MemberName& name) {
    const WebIndex::LeftOut left_out{number_, member.header.path, member.header_at,
                                     member.header.type};
    if (index_.left_out++ == 0) index_.first_left_out = left_out;
    (name.key == key_ ? own_ : before_) = left_out;
  }

  /// What to add where the sample lacks a part.
  std::string reason() const { return own_ ? fmt::format(" ({})", own_->text()) : std::string(); }

  void take(const TarMember& member, const MemberName& name) {
    const auto& path = member.header.path;
    const auto text = [&] {
      return text_of(
          content_.bytes(member.content_at, static_cast<std::size_t>(member.header.size)));
    };
    const bool array = name.kind == kNpy;
    // Of "seg.png" too, which stands beside "jpg" in some sets, the last word says what it is.
    if (array || has_image_name(fmt::format("x.{}", name.kind))) {
      if (sample_) fail(path, "one image or array in a sample", "a second one");
      if (!index_.samples.empty() && array != index_.arrays) {
        fail(path,
             index_.arrays ? "an array, as the samples before it are"
                           : "an image, as the samples before it are",
             array ? "an array" : "an image");
      }
      index_.arrays = array;
      sample_ = WebIndex::Sample{.shard = number_,
                                 .header_at = member.header_at,
                                 .at = member.content_at,
                                 .bytes = member.header.size};
    } else if (name.kind == kClass) {
      if (from_class_) fail(path, "one label in a sample", "a second one");
      const auto label = text();
      from_class_ = checked(path, parse_class(label), "a class as text", label);
    } else if (name.kind == kJson) {
      json_path_ = path;
      json_ = text();
    }
  }

  std::int32_t checked(std::string_view path, std::optional<std::int64_t> value,
                       std::string_view what, std::string_view text) const {
    if (!value || *value < 0 || *value >= limit_) {
      fail(path, fmt::format("{}, a whole number in [0, {})", what, limit_), in_quotes(text));
    }
    return static_cast<std::int32_t>(*value);
  }

  void finish() {
    auto label = from_class_;
    if (sample_ && !label && json_) {
      label = checked(json_path_, parse_json_label(*json_), "an object with a \"label\"", *json_);
    }
    if (sample_ && !label) fail(key_, "a label (.cls or .json) in the sample", "none" + reason());
    if (!sample_ && from_class_)
      fail(key_, "an image or array in the sample", "a label alone" + reason());
    if (sample_) {
      index_.samples.push_back(*sample_);
      index_.labels.push_back(*label);
    }
    sample_.reset();
    from_class_.reset();
    json_.reset();
    own_.reset();
  }

  WebIndex& index_;
  const RandomContent& shard_;
  std::uint32_t number_;
  std::uint32_t limit_;
  ContentReader content_;
  PassedContent passed_{shard_};
  std::string key_;
  std::optional<WebIndex::Sample> sample_;
  std::optional<std::int32_t> from_class_;
  std::optional<std::string> json_;
  std::string json_path_;
  std::optional<WebIndex::LeftOut> own_;     // of this sample's members
  std::optional<WebIndex::LeftOut> before_;  // the last one that was not
};

}  // namespace

std::string WebIndex::LeftOut::text() const {
  const auto quoted = in_quotes(path);
  const bool plain = quoted.size() == path.size() + 2;
  return fmt::format("{} at byte {} is left out: {}", plain ? path : quoted, at,
                     type == TarHeader::kHardLink       ? "a hard link"
                     : type == TarHeader::kSymbolicLink ? "a symbolic link"
                                                        : "a sparse file");
}

void PassedContent::reach(std::uint64_t at) {
  constexpr std::uint64_t kStep = std::uint64_t{4} << 20;
  if (content_.size() <= DiskDataset::kStays || at < from_ + kStep) return;
  content_.forget(from_, at - from_);
  from_ = at;
}

void index_shard(const RandomContent& shard, std::uint32_t number, std::uint32_t limit,
                 WebIndex& index) {
  Indexer(index, shard, number, limit).run();
}

}  // namespace millrace
